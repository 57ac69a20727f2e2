package mirror

import (
	"testing"
	"time"

	"swath/internal/hubtest"
	"swath/internal/testdb"
)

// TestOffline: products on cold storage are ordered where the hub takes orders, in its one way or the other, and are no failures while they
// come; where it takes none they stay listed until the hub has them online.
func TestOffline(t *testing.T) {
	for _, ordering := range []string{"odata", "dhus", ""} {
		t.Run("by "+ordering, func(t *testing.T) {
			archive := hubtest.NewArchive(31, 100, hubtest.Nasty)
			archive.Ordering = ordering
			offline := int64(archive.Kinds()["offline"])
			s := hubtest.Serve(t, archive, hubtest.Options{})
			in := &shelf{items: map[string]string{}}
			m, l := open(t, s, testdb.New(t), t.TempDir(), in)
			defer l.Close()
			if err := m.Once(t.Context()); err != nil {
				t.Fatal(err)
			}
			in.equals(t, archive)
			if ordering != "" {
				offline = 0
			}
			status, err := l.Status(t.Context())
			if err != nil || status.Offline != offline || status.Wanted != 0 {
				t.Errorf("%+v, %v; want %d offline", status, err, offline)
			}
			troubles, err := l.Troubles(t.Context(), 100)
			for _, trouble := range troubles {
				if !trouble.Quarantined {
					t.Errorf("%+v", trouble)
				}
			}
			if err != nil {
				t.Error(err)
			}
			before := s.Requests.Load()
			if err := m.work(t.Context(), true); err != nil || s.Requests.Load() != before {
				t.Errorf("%v; %d requests for what is offline", err, s.Requests.Load()-before)
			}
			archive.Live()
			if err := m.Once(t.Context()); err != nil {
				t.Fatal(err)
			}
			in.equals(t, archive)
			if status, err = l.Status(t.Context()); err != nil || status.Offline != 0 {
				t.Errorf("%+v, %v", status, err)
			}
		})
	}
}

// TestQuotas: a client that is told the hub's quotas is never refused for more, and renews a token of short life.
func TestQuotas(t *testing.T) {
	archive := hubtest.NewArchive(8, 40, hubtest.None)
	s := hubtest.Serve(t, archive, hubtest.Options{MaxConnections: 2, RequestsPerMinute: 12_000, TokenLife: 300 * time.Millisecond, BytesPerS: 500_000})
	in := &shelf{items: map[string]string{}}
	m, l := openWith(t, quota(12_000, 2), s, testdb.New(t), t.TempDir(), in)
	defer l.Close()
	if err := m.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	in.equals(t, archive)
	if n, crowded := s.Refused.Load(), s.Crowded.Load(); n+crowded > 0 {
		t.Errorf("%d requests were refused, and %d downloads", n, crowded)
	}
}
