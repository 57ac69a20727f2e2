package tilehttp

import "testing"

// TestCanonical: addresses that mean one picture have one ETag and one canonical form, which has them too.
func TestCanonical(t *testing.T) {
	app, tile := door(t)
	for _, same := range [][]string{
		{".png?assets=s2_b4&rescale=0,1", ".PNG?rescale=0,1&assets=s2_b4", ".png?rescale=0,1&assets=s2_b4&resampling=Nearest&unscale=TRUE&padding=4&scale=1", "@1x.png?rescale=0,1&assets=+s2_b4"},
		{".jpg?assets=s2_b4&assets=s2_b3&assets=s2_b2&rescale=0,1", ".jpeg?assets=s2_b4,s2_b3,s2_b2&rescale=0,1"},
		{".webp?expression=s2_b8-s2_b4&rescale=0,1&colormap_name=viridis", ".webp?expression=s2_b8-s2_b4&rescale=0,1&colormap_name=Viridis"},
	} {
		first := ask(t, app, "GET", tile+same[0])
		at, tag := first.header.Get("Content-Location"), first.header.Get("ETag")
		if first.status != 200 || at == "" || tag == "" {
			t.Fatalf("%s: %d, %q, %q: %s", same[0], first.status, at, tag, first.body)
		}
		for _, other := range append(same, "") {
			target := tile + other
			if other == "" {
				target = at
			}
			if got := ask(t, app, "GET", target); got.header.Get("ETag") != tag || got.header.Get("Content-Location") != at {
				t.Errorf("%s: %q at %q, want %q at %q", target, got.header.Get("ETag"), got.header.Get("Content-Location"), tag, at)
			}
		}
	}
	// What means the same but is not spelled so has the same ETag all the same.
	want := ask(t, app, "GET", tile+".png?expression=s2_b8-s2_b4&rescale=0,1").header.Get("ETag")
	for _, other := range []string{".png?expression=+s2_b8+-+s2_b4+&rescale=0,1.0", ".png?expression=s2_b8-s2_b4&rescale=0,1&tilesize=256"} {
		if got := ask(t, app, "GET", tile+other); got.header.Get("ETag") != want {
			t.Errorf("%s: %d %q, want %q", other, got.status, got.header.Get("ETag"), want)
		}
	}
	if got := ask(t, app, "GET", tile+".png?assets=s2_b4,s2_b3,s2_b2&rescale=0,1&color_formula=gamma+RGB+2"); got.status != 200 || got.header.Get("ETag") == want {
		t.Errorf("color formula: %d %s", got.status, got.body)
	}
}
