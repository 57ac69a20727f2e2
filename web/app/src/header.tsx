// The head of every view: its title, the ways to the others, and who is signed in.
import { Account } from "./account";

/** What there is beside the view that shows. The pages of catalog, processes and files are the server's own. */
const sections = [["Map", "/"], ["Catalog", "/collections?f=html"], ["Processes", "/processes?f=html"], ["Jobs", "/jobs?f=html"],
  ["Files", "/datalake/"], ["Statistics", "/?view=statistics"], ["API", "/api.html"]];

export function Header({ title, here }: { title: string; here: string }) {
  return <header><img src="/ui/icon.svg" alt="" width="28" height="28" /><h1>{title}</h1><Account />
    <nav>{sections.filter(([name]) => name !== here).map(([name, href]) => <a key={name} href={href}>{name}</a>)}</nav></header>;
}
