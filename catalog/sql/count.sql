-- How many rows match, and how many of them must be looked at again to be sure. Uses the index of the plan alone where its
-- columns decide.
select count(*), count(*) filter (where {{odd}})
from {{from}}
where (@collections::text[] is null or c.id = any(@collections::text[])) {{where}}
