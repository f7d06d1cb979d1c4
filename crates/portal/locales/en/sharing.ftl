activity-title = Who looked at my record
activity-intro = Each line was written before the information was shown. Nobody can change it or take it away, not even us.
activity-unknown = If you do not recognise something, ask the organisation that the line names.
activity-none = Nobody has looked at your record yet.
activity-total = { $count ->
    [one] 1 line
   *[other] { $count } lines, newest first
}
activity-record = your record
activity-you-looked = You looked at { $what }.
activity-you-added = You added or changed { $what }.
activity-system-looked = A computer system of { $organisation } read { $what }.
activity-system-added = { $organisation } sent { $what }.
activity-keepwell-looked = Keepwell read { $what } to keep the service running.
activity-keepwell-added = Keepwell changed { $what } to keep the service running.
activity-delegate-looked = { $who }, who acts for you, looked at { $what }.
activity-delegate-added = { $who }, who acts for you, added or changed { $what }.
activity-person-looked = { $who }, { $role } at { $organisation }, looked at { $what }.
activity-person-added = { $who }, { $role } at { $organisation }, added or changed { $what }.
activity-reason-care = Reason: your care.
activity-reason-emergency = Reason: an emergency.
activity-reason-administration = Reason: running the service.
