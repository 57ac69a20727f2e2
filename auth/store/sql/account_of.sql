-- The account of an identity: made when it is new, brought up to date where the issuer says something else. The name is the issuer's,
-- unless somebody has it. Uses account_subject.
insert into account (id, name, role, issuer, subject, email, country)
select @id, case when exists (select from account where name = @name) then @othername else @name end,
  coalesce(nullif(@role, ''), @otherwise), @issuer, @subject, @email, @country
on conflict (issuer, subject) where subject <> '' do update set
  role = coalesce(nullif(@role, ''), account.role),
  email = excluded.email,
  country = coalesce(nullif(excluded.country, ''), account.country)
returning id, name, role, password, issuer, subject, email, country, quotas, disabled, created, seen, erased
