-- Requests and what was sent, by day and collection of downloads.
select day, collection, requests, seconds, bytes from traffic
