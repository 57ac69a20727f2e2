package hubtest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// hubClient asks a hub as somebody who reads its documents would.
type hubClient struct {
	t     *testing.T
	s     *Server
	token string
}

func clientOf(t *testing.T, s *Server) *hubClient {
	c := &hubClient{t: t, s: s}
	r, err := http.PostForm(s.Token, url.Values{"client_id": {"cdse-public"}, "grant_type": {"password"}, "username": {User}, "password": {Password}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	var answer struct {
		Access string `json:"access_token"`
	}
	if err := json.NewDecoder(r.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	c.token = answer.Access
	return c
}

// ask returns the status and the body of an answer; redirects go with the token.
func (c *hubClient) ask(method, address, body string) (int, string) {
	c.t.Helper()
	request, err := http.NewRequest(method, address, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	hubs := http.Client{Timeout: 5 * time.Second, // half of a stall, and long for everything else
		Transport: &http.Transport{DisableKeepAlives: true}, // on a connection of before, one that is dropped is asked for again unseen
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > 5 {
				return http.ErrUseLastResponse
			}
			r.Header.Set("Authorization", "Bearer "+c.token)
			return nil
		}}
	r, err := hubs.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return 0, err.Error()
	}
	return r.StatusCode, string(text)
}

// TestServices: tokens are RS256 by the key that is published; nodes are the files of the zip, FilterList finds names, and a strange token
// opens nothing.
func TestServices(t *testing.T) {
	a := NewArchive(1, 0, None)
	const name = "S2A_MSIL1C_20240101T100000_N0500_R001_T31TCJ_20240101T110000.SAFE"
	product := Product(name, []byte("measured"))
	a.Put("one", name, product, a.began)
	s := Serve(t, a, Options{})
	c := clientOf(t, s)

	var keys jose.JSONWebKeySet
	if status, text := c.ask("GET", s.Catalogue+"/certs", ""); status != 200 || json.Unmarshal([]byte(text), &keys) != nil || len(keys.Keys) != 1 {
		t.Fatalf("%d %s", status, text)
	}
	token, err := jwt.ParseSigned(c.token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	var claims jwt.Claims
	if err := token.Claims(keys.Keys[0], &claims); err != nil || claims.Subject != User {
		t.Errorf("%+v, %v", claims, err)
	}
	for path, want := range map[string]string{
		"/odata/v1/Products(one)/$value":                                                        string(product),
		"/odata/v1/Products(one)/Nodes":                                                         `"Name":"` + name + `"`,
		"/odata/v1/Products(one)/Nodes(" + name + ")/Nodes":                                     `"Name":"manifest.safe"`,
		"/odata/v1/Products(one)/Nodes(" + name + ")/Nodes(measurement)/Nodes(data.bin)/$value": "measured",
	} {
		if status, text := c.ask("GET", s.Catalogue+path, ""); status != 200 || !strings.Contains(text, want) {
			t.Errorf("%s: %d %.200s", path, status, text)
		}
	}
	if status, text := c.ask("POST", s.Catalogue+"/odata/v1/Products/OData.CSC.FilterList", `{"FilterProducts":[{"Name":"`+name+`"},{"Name":"none"}]}`); status != 200 || strings.Count(text, `"Id"`) != 1 {
		t.Errorf("FilterList: %d %s", status, text)
	}
	if status, text := c.ask("GET", s.Catalogue+"/control/truth", ""); status != 200 || !strings.Contains(text, strings.TrimSuffix(name, ".SAFE")) {
		t.Errorf("the truth: %d %s", status, text)
	}
	c.token = strings.Replace(c.token, ".", ".x", 1)
	if status, _ := c.ask("GET", "http://"+s.Download+"/odata/v1/Products(one)/$value", ""); status != http.StatusUnauthorized {
		t.Errorf("a strange token: %d", status)
	}
}

// TestStrikes: a fault strikes a subject twice at most, and the same one when the seed is the same.
func TestStrikes(t *testing.T) {
	run := func(seed uint64) string {
		a := NewArchive(5, 30, None)
		s := Serve(t, a, Options{Seed: seed, Profile: Nasty})
		s.outage = -1 // which comes to whoever asks then
		c := clientOf(t, s)
		var log bytes.Buffer
		for _, r := range a.rows {
			sound := 0
			for range 3 {
				status, text := c.ask("GET", "http://"+s.Download+"/odata/v1/Products("+r.id+")/$value", "")
				if status == 200 && text == string(a.bytes(r)) {
					sound++
					log.WriteString(".")
				} else {
					log.WriteString("x")
				}
			}
			if sound == 0 {
				// A loop and what comes behind it are two subjects.
				if status, text := c.ask("GET", "http://"+s.Download+"/odata/v1/Products("+r.id+")/$value", ""); status != 200 && text != string(a.bytes(r)) {
					if status, _ := c.ask("GET", "http://"+s.Download+"/odata/v1/Products("+r.id+")/$value", ""); status != 200 {
						t.Errorf("%s is not to be had after five tries", r.id)
					}
				}
			}
		}
		return log.String()
	}
	first, again, other := run(1), run(1), run(2)
	if first != again || first == other || strings.Count(first, "x") < 8 {
		t.Errorf("seed 1: %s\n again: %s\nseed 2: %s", first, again, other)
	}
}
