-- How many rows match, how many of them must be looked at again to be sure, and when that was: moment and revision. Uses the index of the plan
-- alone where its columns decide.
select count(*), count(*) filter (where {{odd}}), pg_current_snapshot()::text, {{revision}}
from {{from}} {{where}}
