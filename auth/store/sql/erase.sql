-- Forgets who an account was. What it used stays under its id, of which nobody knows any more whose it was. A person who comes back by
-- an issuer gets a new account. What rides on the row (keys, sessions, grants) is deleted by the statements beside this one.
update account set name = 'erased-' || id, password = '', issuer = '', subject = '', email = '', country = '', quotas = null,
  disabled = true, erased = coalesce(erased, now())
where id = @id
