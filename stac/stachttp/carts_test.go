package stachttp

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"

	"swath/auth"
	"swath/httpkit"
	"swath/internal/contract"
	"swath/openapi"
	"swath/stac"
)

// clientOf serves seven items to somebody who says by headers who he is, and which collection is hidden from him.
func clientOf(t *testing.T) *contract.Caller {
	t.Helper()
	_, store := newApp(t, 7)
	app := httpkit.New(httpkit.Config{Log: slog.New(slog.DiscardHandler)})
	app.Use(func(c *fiber.Ctx) error { // as the frame of accounts does
		ctx := c.UserContext()
		if user := c.Get("Test-User"); user != "" {
			ctx = auth.With(ctx, auth.Principal{User: user, Role: auth.Reader})
		}
		if hide := c.Get("Test-Hides"); hide != "" {
			ctx = stac.WithScope(ctx, stac.Hiding(hide))
		}
		c.SetUserContext(ctx)
		return c.Next()
	})
	API{Catalog: store, Analyst: store, Editor: store, Carts: store, Memory: store, Generation: store.CollectionsGeneration, Changes: Open, Document: openapi.Document}.Mount(app)
	return contract.Client(t, app)
}

// TestCarts fills carts, reads them page by page, and takes out again; what is another's is not there to be changed, and what is hidden
// is not in a cart.
func TestCarts(t *testing.T) {
	client := clientOf(t)
	client.Post("/collections/other/items", fmt.Sprintf(bare, "n"))
	name := func(collection string, ids ...string) string {
		var all []string
		for _, id := range ids {
			all = append(all, fmt.Sprintf(`{"collection":%q,"id":%q}`, collection, id))
		}
		return `{"title":"Fields","items":[` + strings.Join(all, ",") + `]}`
	}
	made := client.Post("/carts", name("sentinel-2-l1c", "S2A_003", "S2A_001", "S2A_003"), "Test-User", "ada")
	var cart struct {
		ID, Title string
		Items     int
	}
	made.JSON(t, &cart)
	if at := "/carts/" + cart.ID; made.Status != 201 || cart.Items != 2 || cart.Title != "Fields" || made.Header.Get("Location") != base+at {
		t.Fatalf("%d %v %s", made.Status, made.Header, made.Body)
	}
	at := "/carts/" + cart.ID
	client.Post(at+"/items", name("other", "n"), "Test-User", "ada").JSON(t, &cart)
	if cart.Items != 3 {
		t.Errorf("an item more: %+v", cart)
	}
	client.Post(at+"/items", `{"search":{"collections":["sentinel-2-l1c"],"sortby":[{"field":"id","direction":"asc"}]}}`, "Test-User", "ada").JSON(t, &cart)
	if cart.Items != 8 {
		t.Errorf("with what a search finds: %+v", cart)
	}
	const all = "S2A_003 S2A_001 n S2A_000 S2A_002 S2A_004 S2A_005 S2A_006"
	read := func(limit int, headers ...string) (items, pages string) {
		t.Helper()
		var seen []string
		for next, n := fmt.Sprintf("%s?limit=%d", at, limit), 1; ; n++ {
			got := client.Get(next, headers...)
			var page found
			if got.JSON(t, &page); got.Status != 200 || len(page.Features) > limit {
				t.Fatalf("%d %s", got.Status, got.Body)
			}
			seen = append(seen, ids(page))
			link := link(page.Links, "next", "")
			if link == nil {
				return strings.Join(seen, " "), fmt.Sprintf("%d pages of %d", n, *page.NumberMatched)
			}
			next = link.Href
		}
	}
	for limit, want := range map[int]string{1: "8 pages of 8", 3: "3 pages of 8", 8: "1 pages of 8", 100: "1 pages of 8"} {
		if got, pages := read(limit); got != all || pages != want {
			t.Errorf("limit %d: %s, %s", limit, got, pages)
		}
	}
	if got, pages := read(100, "Test-Hides", "other"); got != strings.Replace(all, " n", "", 1) || pages != "1 pages of 7" {
		t.Errorf("where a collection is hidden: %s, %s", got, pages)
	}
	client.Do(http.MethodDelete, "/collections/sentinel-2-l1c/items/S2A_001", "")
	if got := client.Get(at); !strings.Contains(string(got.Body), `"missing":[{"collection":"sentinel-2-l1c","id":"S2A_001"}]`) || strings.Contains(string(got.Body), `"id":"S2A_001","bbox"`) {
		t.Errorf("an item that left the catalog: %s", got.Body)
	}
	for _, c := range []struct {
		method, target, body, user string
		want                       int
	}{
		{"POST", "/carts", name("sentinel-2-l1c", "none"), "ada", 404}, {"POST", "/carts", name("none", "n"), "", 404}, {"POST", "/carts", `{"items":[{"collection":"other"}]}`, "", 404},
		{"POST", "/carts", `{"all":true}`, "", 400}, {"POST", "/carts", `[]`, "", 400}, {"POST", "/carts", `{"title":"` + strings.Repeat("x", 201) + `"}`, "", 400},
		{"POST", "/carts", `{"title":"\u0000"}`, "", 400}, {"POST", "/carts", `{"search":{"bbox":[1]}}`, "", 400}, {"POST", "/carts", name("other", make([]string, 10_001)...), "", 413},
		{"GET", at + "?limit=0", "", "", 400}, {"GET", at + "?limit=1001", "", "", 400}, {"GET", at + "?token=x", "", "", 400}, {"GET", at + "?x=1", "", "", 400},
		{"GET", "/carts/none", "", "ada", 404}, {"GET", "/carts/%00", "", "ada", 400}, {"GET", "/carts", "", "", 401},
		{"POST", at + "/items", name("other", "n"), "bob", 404}, {"POST", at + "/items", name("other", "n"), "", 404},
		{"DELETE", at + "/items/other/n", "", "bob", 404}, {"DELETE", at + "/items/other/n", "", "", 404}, {"DELETE", at, "", "bob", 404},
		{"DELETE", at + "/items/other/n", "", "ada", 204}, {"DELETE", at + "/items/other/n", "", "ada", 204}, {"DELETE", at + "/items/other/%00", "", "ada", 400},
	} {
		if got := client.Do(c.method, c.target, c.body, "Content-Type", stac.TypeJSON, "Test-User", c.user); got.Status != c.want {
			t.Errorf("%s %s %.100s by %q: %d %s, want %d", c.method, c.target, c.body, c.user, got.Status, got.Body, c.want)
		}
	}
	var mine struct{ Carts []struct{ ID string } }
	for user, want := range map[string]int{"ada": 1, "bob": 0} {
		if client.Get("/carts", "Test-User", user).JSON(t, &mine); len(mine.Carts) != want {
			t.Errorf("carts of %s: %v", user, mine)
		}
	}
	strangers := client.Post("/carts", name("other", "n"))
	strangers.JSON(t, &cart)
	if got := client.Do("DELETE", "/carts/"+cart.ID, ""); strangers.Status != 201 || got.Status != 204 {
		t.Errorf("a stranger's cart: %d, then %d", strangers.Status, got.Status)
	}
	client.Post("/carts", name("other", "n")).JSON(t, &cart)
	signedIn := client.Post("/carts/"+cart.ID+"/items", name("sentinel-2-l1c", "S2A_003"), "Test-User", "bob")
	client.Get("/carts", "Test-User", "bob").JSON(t, &mine)
	if signedIn.Status != 200 || len(mine.Carts) != 1 || client.Post("/carts/"+cart.ID+"/items", name("other", "n")).Status != 404 {
		t.Errorf("a stranger's cart after signing in: %d, %v", signedIn.Status, mine)
	}
	if got := client.Do("DELETE", at, "", "Test-User", "ada"); got.Status != 204 || client.Get(at).Status != 404 {
		t.Errorf("a cart that is deleted: %d", got.Status)
	}
}
