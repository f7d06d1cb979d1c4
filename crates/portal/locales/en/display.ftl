# Dates and times. Months are always in full: screen readers misread short ones.
month-1 = January
month-2 = February
month-3 = March
month-4 = April
month-5 = May
month-6 = June
month-7 = July
month-8 = August
month-9 = September
month-10 = October
month-11 = November
month-12 = December
weekday-1 = Monday
weekday-2 = Tuesday
weekday-3 = Wednesday
weekday-4 = Thursday
weekday-5 = Friday
weekday-6 = Saturday
weekday-7 = Sunday
date-day = { $day } { $month } { $year }
date-weekday = { $weekday } { $day } { $month } { $year }
date-month-year = { $month } { $year }
date-day-month = { $day } { $month }
date-at-time = { $date } at { $time }
date-unknown = Date not known
# Each time has the hour of 12 ($hour), the hour of 24 ($hour24) and the minutes.
time-midnight = midnight
time-midday = midday
time-am = { $hour }:{ $minute }am
time-pm = { $hour }:{ $minute }pm
time-am-hour = { $hour }am
time-pm-hour = { $hour }pm

# How a result compares with its usual range. Neutral: outside is not the same as wrong.
range-inside = inside the usual range
range-outside = outside the usual range
range-above = above the usual range
range-below = below the usual range
range-outside-short = Outside
unit-mmhg = mmHg
unit-beats = beats a minute
