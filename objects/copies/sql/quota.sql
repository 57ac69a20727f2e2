-- What waits for a user, and with it what was brought in the last day. Uses stage_request_waiting, stage_request_served.
select count(*), coalesce(sum(bytes), 0)::bigint, (coalesce(sum(bytes), 0) + (
  select coalesce(sum(bytes), 0) from stage_request where owner = $1 and outcome = 'served' and done_at > now() - interval '1 day'))::bigint
from stage_request where owner = $1 and lane = 'user' and outcome = 'open';
