package stachttp

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"swath/fault"
	"swath/stac"
	"swath/stac/cql2"
)

const (
	deletionPage     = 1000
	mostDeletionPage = 10_000
)

// deletions serves GET /deletions: items that left the catalog, in the order in which they did.
func (a API) deletions(c *fiber.Ctx) error {
	q, err := query(c, "collections", "since", "limit", "token")
	if err != nil {
		return err
	}
	at, err := deletionPlaceOf(q)
	if err != nil {
		return err
	}
	limit := deletionPage
	if q.Has("limit") {
		if limit, err = strconv.Atoi(q.Get("limit")); err != nil || limit < 1 || limit > mostDeletionPage {
			return fault.New(fault.Invalid, "limit is not 1 to %d", mostDeletionPage)
		}
	}
	asked := stac.Search{Limit: limit, Uncounted: true, Filter: cql2.Compare{Op: cql2.GreaterOrEqual, Left: cql2.Property(stac.Deleted), Right: cql2.Timestamp{Time: at.since}}}
	if text := q.Get("collections"); text != "" {
		asked.Collections = strings.Split(text, ",")
	}
	page, err := a.Memory.DeletedItems(c.UserContext(), asked, at.told)
	if err != nil {
		return err
	}
	list := make([]stac.Deletion, len(page.Items))
	for i, d := range page.Items {
		list[i] = stac.Deletion{Collection: d.Collection, ID: d.ID, Deleted: d.Deleted}
		at = at.behind(d.Deleted)
	}
	l := links(c)
	self := l.Base + "/deletions"
	out := []*stac.Link{{Rel: "self", Href: self + "?" + q.Encode(), Type: stac.TypeJSON}}
	if page.More {
		q.Set("token", at.token())
		q.Del("since")
		out = append(out, &stac.Link{Rel: "next", Href: self + "?" + q.Encode(), Type: stac.TypeJSON})
	}
	return c.JSON(fiber.Map{"deletions": list, "links": out})
}

// deletionPlace is a place in the order of deletions: behind so many of those that left at one moment.
type deletionPlace struct {
	since time.Time
	told  int
}

func (p deletionPlace) behind(deleted time.Time) deletionPlace {
	if deleted.Equal(p.since) {
		return deletionPlace{p.since, p.told + 1}
	}
	return deletionPlace{deleted, 1}
}

func (p deletionPlace) token() string { return fmt.Sprintf("%d.%d", p.since.UnixMicro(), p.told) }

// deletionPlaceOf reads where to begin: a token, a moment, or neither.
func deletionPlaceOf(q url.Values) (p deletionPlace, err error) {
	if !q.Has("token") {
		if text := q.Get("since"); text != "" {
			p.since, err = stac.ParseInstant(text)
		}
		return p, err
	}
	micros, told, _ := strings.Cut(q.Get("token"), ".")
	at, err := strconv.ParseInt(micros, 10, 64)
	if p.told, _ = strconv.Atoi(told); err != nil || p.told < 1 || q.Has("since") {
		return p, fault.New(fault.Invalid, "token is not one of this list, or stands beside since")
	}
	p.since = time.UnixMicro(at).UTC()
	return p, nil
}
