-- Whether there is a row of which the columns of a plan can't tell. Uses the index of the plan.
select exists (select from {{from}} and ({{odd}}) {{where}})
