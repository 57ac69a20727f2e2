// The cart of this browser: a list of items that the server keeps, by an id that is remembered here, to be downloaded by it.
import { useEffect, useState } from "preact/hooks";
import * as api from "./api";

const remembered = "swath-cart";

export const keyOf = (n: api.Name) => n.collection + "/" + n.id;

export type Basket = { id: string; holds: Set<string>; toggle: (n: api.Name) => void; addAll: (q: api.Query) => void; forget: () => void };

/** The cart, and what changes it. One that is gone, or is somebody else's since one signed in, is begun anew with what was in it. */
export function useCart(fail: (err: unknown) => void): Basket {
  const [id, setID] = useState(localStorage.getItem(remembered) ?? "");
  const [names, setNames] = useState<api.Name[]>([]);
  const keep = (id: string) => { setID(id); if (id) localStorage.setItem(remembered, id); else localStorage.removeItem(remembered); };
  const forget = () => { keep(""); setNames([]); };
  const look = async (id: string) => setNames(await api.cartItems(id));
  useEffect(() => { if (id) look(id).catch(forget); }, []);
  const add = async (f: api.Filling) => {
    try {
      if (id) { await api.addToCart(id, f); return await look(id); }
    } catch (err) {
      if (!(err instanceof api.Refused) || err.status !== 404) throw err;
    }
    let cart = await api.newCart("items" in f ? { items: [...names, ...f.items] } : f);
    if (!("items" in f) && names.length) cart = await api.addToCart(cart.id, { items: names });
    keep(cart.id);
    await look(cart.id);
  };
  const take = async (n: api.Name) => { await api.takeFromCart(id, n); await look(id); };
  const holds = new Set(names.map(keyOf));
  return { id, holds, forget, toggle: (n) => void (holds.has(keyOf(n)) ? take(n) : add({ items: [{ collection: n.collection, id: n.id }] })).catch(fail),
    addAll: (q) => void add({ search: q }).catch(fail) };
}

/** What is in the cart, and how it is brought home. */
export function CartBox(p: { cart: Basket; view?: api.Query; found: number }) {
  const n = p.cart.holds.size;
  return <details class="cart"><summary>Cart: {n} {n === 1 ? "item" : "items"}</summary><div>
    {n > 0 && <><p>Download it with</p><code>swath download --url {location.origin}/ --cart {p.cart.id} -o products</code>
      <p><a href={`/carts/${encodeURIComponent(p.cart.id)}`}>Its items</a> <button onClick={p.cart.forget}>Begin another</button></p></>}
    {p.view && p.found > 0 && <button class="all" onClick={() => p.cart.addAll(p.view!)}>Add all in the view</button>}
    {n === 0 && <p>Items are put in by their + here.</p>}
  </div></details>;
}

export function CartButton(p: { cart: Basket; item: api.Name }) {
  const on = p.cart.holds.has(keyOf(p.item));
  return <button class="put" aria-pressed={on} title={on ? "In the cart" : "Put into the cart"} aria-label={(on ? "In the cart: " : "Put into the cart: ") + p.item.id}
    onClick={() => p.cart.toggle(p.item)}>{on ? "✓" : "+"}</button>;
}
