package processhttp

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"swath/fault"
	"swath/httpkit"
	"swath/processes"
	"swath/stac"
)

// subscription is one as clients see it.
type subscription struct {
	processes.Subscription
	Links []link `json:"links"`
}

func subscriptionURL(c *fiber.Ctx, id string) string {
	return httpkit.BaseURL(c) + "/subscriptions/" + url.PathEscape(id)
}

func subscriptionOf(c *fiber.Ctx, s processes.Subscription) subscription {
	self := subscriptionURL(c, s.ID)
	return subscription{s, []link{
		{"self", self, stac.TypeJSON, "This subscription"},
		{"alternate", self + "?f=html", stac.TypeHTML, "This subscription as a page"},
		{relJobs, httpkit.BaseURL(c) + "/jobs?subscription=" + url.QueryEscape(s.ID), stac.TypeJSON, "Its jobs"},
		{"process", processURL(c, s.Process), stac.TypeJSON, "Its process"},
	}}
}

// strictly reads a JSON body into a struct and refuses members that it does not have.
func strictly(c *fiber.Ctx, into any) error {
	d := json.NewDecoder(strings.NewReader(string(c.Body())))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fault.New(fault.Invalid, "the body is not what it should be: %v", err)
	}
	return nil
}

// subscriptions serves GET /subscriptions.
func (a API) subscriptions(c *fiber.Ctx) error {
	if _, err := query(c); err != nil {
		return err
	}
	fresh(c)
	all, err := a.Engine.Subscriptions(c.UserContext())
	if err != nil {
		return err
	}
	base := httpkit.BaseURL(c)
	if httpkit.WantsHTML(c) {
		return pages.Send(c, "subscriptions.html", fiber.Map{"Base": base, "Title": "Subscriptions", "All": all})
	}
	out := struct {
		Subscriptions []subscription `json:"subscriptions"`
		Links         []link         `json:"links"`
	}{[]subscription{}, []link{{"self", base + "/subscriptions", stac.TypeJSON, "Subscriptions"}, {"alternate", base + "/subscriptions?f=html", stac.TypeHTML, "Subscriptions as a page"}}}
	for _, s := range all {
		out.Subscriptions = append(out.Subscriptions, subscriptionOf(c, s))
	}
	return c.JSON(out)
}

// subscribe serves POST /subscriptions.
func (a API) subscribe(c *fiber.Ctx) error {
	fresh(c)
	var asked struct {
		Name    string            `json:"name"`
		Process string            `json:"process"`
		Input   string            `json:"input"`
		Search  json.RawMessage   `json:"search"`
		Request processes.Request `json:"request"`
		Paused  bool              `json:"paused"`
	}
	if err := strictly(c, &asked); err != nil {
		return err
	}
	s, err := a.Engine.Subscribe(Asked(c), processes.Subscription{Name: asked.Name, Process: asked.Process, Input: asked.Input, Search: asked.Search, Request: asked.Request, Paused: asked.Paused})
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderLocation, subscriptionURL(c, s.ID))
	return c.Status(fiber.StatusCreated).JSON(subscriptionOf(c, s))
}

// subscription serves GET /subscriptions/{subscription}.
func (a API) subscription(c *fiber.Ctx) error {
	if _, err := query(c); err != nil {
		return err
	}
	fresh(c)
	s, err := a.Engine.Subscription(c.UserContext(), c.Params("subscription"))
	if err != nil {
		return err
	}
	if !httpkit.WantsHTML(c) {
		return c.JSON(subscriptionOf(c, s))
	}
	recent, err := a.Engine.Jobs(c.UserContext(), processes.JobFilter{Subscription: s.ID, Limit: 20})
	if err != nil {
		return err
	}
	rows := make([]row, len(recent.Jobs))
	for i, j := range recent.Jobs {
		rows[i] = rowOf(c, j)
	}
	states := []processes.Status{processes.Accepted, processes.Running, processes.Successful, processes.Failed, processes.Dismissed}
	return pages.Send(c, "subscription.html", fiber.Map{"Base": httpkit.BaseURL(c), "Title": s.Name, "S": s, "Self": subscriptionURL(c, s.ID), "Search": string(s.Search),
		"States": slices.DeleteFunc(states, func(one processes.Status) bool { return s.Figures.Jobs[one] == 0 }), "Jobs": rows, "Token": a.token(c)})
}

// change serves PATCH /subscriptions/{subscription}: whether it is paused. Forms of its page post there.
func (a API) change(c *fiber.Ctx) error {
	fresh(c)
	var asked struct {
		Paused *bool `json:"paused"`
	}
	form := c.Method() == fiber.MethodPost
	if form {
		paused := httpkit.FormValue(c, "paused") == "true"
		asked.Paused = &paused
	} else if err := strictly(c, &asked); err != nil {
		return err
	}
	if asked.Paused == nil {
		return fault.New(fault.Invalid, "paused: is needed, true or false")
	}
	s, err := a.Engine.PauseSubscription(c.UserContext(), c.Params("subscription"), *asked.Paused)
	if err != nil {
		return err
	}
	if form {
		return c.Redirect(subscriptionURL(c, s.ID)+"?f=html", fiber.StatusSeeOther)
	}
	return c.JSON(subscriptionOf(c, s))
}

// unsubscribe serves DELETE /subscriptions/{subscription}.
func (a API) unsubscribe(c *fiber.Ctx) error {
	fresh(c)
	if err := a.Engine.Unsubscribe(c.UserContext(), c.Params("subscription")); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

// backfill serves POST /subscriptions/{subscription}/backfill.
func (a API) backfill(c *fiber.Ctx) error {
	fresh(c)
	var asked struct {
		Datetime string `json:"datetime"`
	}
	if err := strictly(c, &asked); err != nil {
		return err
	}
	period, err := stac.ParseDatetime(asked.Datetime)
	if err != nil {
		return err
	}
	if period == nil || period.Start == nil || period.End == nil {
		return fault.New(fault.Invalid, "datetime: must be a period with a beginning and an end, such as 2018-01-01T00:00:00Z/2019-01-01T00:00:00Z")
	}
	s, err := a.Engine.Backfill(c.UserContext(), c.Params("subscription"), *period.Start, *period.End)
	if err != nil {
		return err
	}
	return c.Status(fiber.StatusAccepted).JSON(subscriptionOf(c, s))
}
