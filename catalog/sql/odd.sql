-- Whether there is a row of which the columns of a plan can't tell. Uses the index of the plan.
select exists (select from {{from}}
where (@collections::text[] is null or c.id = any(@collections::text[])) and ({{odd}}) {{where}})
