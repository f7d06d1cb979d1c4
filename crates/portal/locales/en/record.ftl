person-name = Name
person-born = Date of birth
person-number = NHS number

home-title = Your health record
home-latest = Latest test results
home-record = Your record
home-tests-text = { $count ->
    [0] No results have come in yet
    [one] 1 result
   *[other] { $count } results
}
home-measurements-latest = Latest: { $name }, { $date }
home-measurements-none = Add a blood pressure reading
home-sharing = Sharing and control
home-activity-text = Everyone who saw your record, and when
home-also-title = Also in your record
home-also-text = You cannot open these here yet. Ask your GP surgery to see them.
home-help-title = If you need help now
home-help-emergency = In an emergency, call 999.
home-help-urgent = If it is urgent but not an emergency, call 111. Nobody watches this record for you.

# What a record holds, counted. Used on the home page and in "who looked".
category-person = your name and contact details
category-test-results = { $count ->
    [one] 1 test result
   *[other] { $count } test results
}
category-measurements = { $count ->
    [one] 1 measurement
   *[other] { $count } measurements
}
category-conditions = { $count ->
    [one] 1 health condition
   *[other] { $count } health conditions
}
category-medicines = { $count ->
    [one] 1 medicine
   *[other] { $count } medicines
}
category-allergies = { $count ->
    [one] 1 allergy
   *[other] { $count } allergies
}
category-vaccinations = { $count ->
    [one] 1 vaccination
   *[other] { $count } vaccinations
}
category-procedures = { $count ->
    [one] 1 operation or procedure
   *[other] { $count } operations and procedures
}
category-visits = { $count ->
    [one] 1 visit or appointment
   *[other] { $count } visits and appointments
}
category-documents = { $count ->
    [one] 1 letter or document
   *[other] { $count } letters and documents
}
category-plans = { $count ->
    [one] 1 care plan
   *[other] { $count } care plans
}
category-access-lines = the list of who looked
category-other = { $count ->
    [one] 1 other item
   *[other] { $count } other items
}

results-title = Test results
results-total = { $count ->
    [one] You have 1 test result.
   *[other] You have { $count } test results.
}
results-order = The newest is first.
results-none = No test results have come in yet.
results-none-why = Results come in when the laboratory sends them. That can take some days after the test.
results-from = { $date }, from { $source }

result-one = { $value }
result-one-compared = { $value }, { $compared }
result-many = { $count } results
result-many-inside = { $count } results, all inside the usual range
result-many-outside = { $outside ->
    [one] { $count } results, 1 of them outside the usual range
   *[other] { $count } results, { $outside } of them outside the usual range
}
result-missing = No result was given
result-title = Test result
result-conclusion = What the laboratory said
result-your = Your result
result-compared = This is { $compared } for this laboratory.
result-compared-range = This is { $compared } for this laboratory, which is { $range }.
result-range = The usual range for this laboratory is { $range }.
result-no-range = The laboratory sent no usual range with this result.
result-history = See your results for this test over time
result-table = Results in this report
result-test = Test
result-value = Result
result-usual = Usual range
result-next-title = What happens next
result-next-outside = A result outside the usual range is common. It often does not mean that something is wrong.
result-next-text = If you are worried about a result, contact the team that asked for the test. They know why it was done.
result-about = About this result
result-when = Test taken
result-lab = Laboratory
result-source = Sent by
result-received = Came to your record

status-preliminary = Not final yet
status-corrected = Corrected
status-cancelled = Cancelled
status-error = Sent by mistake

history-title = Results over time
history-up = Your { $name } went up from { $old } to { $new } between { $from } and { $to }.
history-down = Your { $name } went down from { $old } to { $new } between { $from } and { $to }.
history-same = Your { $name } was { $new } in { $to }, the same as in { $from }.
history-it = result
history-one = Your { $name } was { $value } on { $date }.
history-words = { $count ->
    [one] You have 1 result for { $name }.
   *[other] You have { $count } results for { $name }.
}
history-latest = The latest result is { $compared } for this laboratory.
history-chart-title = { $name } over time
history-band = Usual range { $low } to { $high }
history-band-low = Usual range { $low } or more
history-band-high = Usual range up to { $high }
history-shape-inside = A filled circle is a result inside the usual range, or without one.
history-shape-outside = A hollow diamond is a result outside the usual range.
history-note-lab = The line is broken where the laboratory changed. Two laboratories can measure differently.
history-note-unit = Results in another unit are in the table, not in the chart.
history-note-words = Results in words are in the table, not in the chart.
history-table-show = { $count ->
    [one] The result as a table
   *[other] All { $count } results as a table
}
history-table = Results, newest first
history-date = Date
history-lab = Laboratory
history-csv = Download these results as a spreadsheet (CSV)
history-mean-title = What this means
history-mean-text = One result on its own says little. What counts is how results change over time, and how you feel.
csv-test = Test
csv-value = Value
csv-unit = Unit
csv-outside = Outside the usual range
csv-yes = yes
csv-no = no
