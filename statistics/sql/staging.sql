-- How long orders of the last 30 days waited for the archive. Uses stage_request_served.
select count(*), coalesce(avg(extract(epoch from done_at - asked_at)), 0)::float8 from stage_request where outcome = 'served' and done_at > now() - interval '30 days'
