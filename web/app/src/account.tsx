// Who is signed in, and the way to sign in or out. The forms go to the server as forms: no script sees a password.
import { useEffect, useState } from "preact/hooks";
import * as api from "./api";

export function Account() {
  const [ways, setWays] = useState<api.Ways>();
  useEffect(() => { api.ways().then(setWays, () => undefined); }, []); // without an answer there is nothing to offer
  if (!ways || !(ways.account || ways.passwords || ways.issuer)) return null;
  const here = location.pathname + location.search;
  if (ways.account) {
    return <details class="account"><summary>{ways.account.name}</summary><div>
      <p>Signed in as <b>{ways.account.name}</b>, {ways.account.role}.</p>
      <p><a href="/account?f=html">Keys and use</a></p>
      {ways.account.csrf_token && <form method="post" action="/auth/logout"><input type="hidden" name="csrf_token" value={ways.account.csrf_token} /><button>Sign out</button></form>}
    </div></details>;
  }
  return <details class="account"><summary>Sign in</summary><div>
    {ways.passwords && <form method="post" action="/auth/login">
      <input type="hidden" name="to" value={here} />
      <label>Name <input name="name" autocomplete="username" required /></label>
      <label>Password <input name="password" type="password" autocomplete="current-password" required /></label>
      <button>Sign in</button></form>}
    {ways.issuer && <p><a href={`/auth/login?by=issuer&to=${encodeURIComponent(here)}`}>Sign in with your organisation's account</a></p>}
  </div></details>;
}
