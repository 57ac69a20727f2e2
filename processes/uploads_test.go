package processes_test

import (
	"bytes"
	"encoding/base64"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"swath/auth"
	"swath/fault"
	"swath/processes"
)

// upload is a file that comes with a request.
func upload(t *testing.T, body, name string, said bool) *processes.Upload {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if _, err := f.WriteString(body); err != nil {
		t.Fatal(err)
	}
	return &processes.Upload{File: f, Bytes: int64(len(body)), Name: name, Said: said}
}

// TestUploads: files that come with a request are those that the run sees, and are gone when the job has ended.
func TestUploads(t *testing.T) {
	h := newHouse(t, true, nil)
	pool, err := pgxpool.New(t.Context(), h.url)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	ctx := as(t.Context(), "ann", auth.Processor)
	body := strings.Repeat("hello \x00\xff", 100_000)
	for name, tc := range map[string]struct {
		value  string
		upload *processes.Upload
	}{
		"from a form":    {`{"value":"KEY","mediaType":"image/png"}`, upload(t, body, "a.png", false)},
		"base64":         {`"KEY"`, upload(t, base64.StdEncoding.EncodeToString([]byte(body)), "", true)},
		"with its type":  {`{"value":"KEY","mediaType":"image/tiff"}`, upload(t, base64.StdEncoding.EncodeToString([]byte(body)), "", true)},
		"a text":         {`{"value":"KEY","mediaType":"text/csv"}`, upload(t, body, "", true)},
		"a coded text":   {`{"value":"KEY","mediaType":"text/csv","encoding":"base64"}`, upload(t, base64.StdEncoding.EncodeToString([]byte(body)), "", true)},
		"a hostile name": {`{"value":"KEY"}`, upload(t, body, "../../x", false)},
	} {
		r := asked(t, `{"imageInput":`+tc.value+`}`)
		r.Uploads = map[string]*processes.Upload{"KEY": tc.upload}
		j, err := h.engine.Submit(ctx, "echo", r)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if told := string(j.Request.Inputs["imageInput"]); strings.Contains(told, "KEY") || !strings.Contains(told, "sent with the request") || len(told) > 200 {
			t.Errorf("%s: the job says %.200s", name, told)
		}
		if got := h.file(t, ctx, j.ID, "imageOutput"); string(got) != body {
			t.Errorf("%s: %d bytes, %.20q", name, len(got), got)
		}
	}
	if _, err := pool.Exec(ctx, "update job set finished = now() - interval '1 h'"); err != nil {
		t.Fatal(err)
	}
	until(t, 10*time.Second, "the files that came are gone, the results are there", func() bool {
		came, made := 0, 0
		for info, err := range h.config.Objects.List(ctx, "jobs/") {
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(info.Key, "/in/") {
				came++
			} else {
				made++
			}
		}
		var noted int
		if err := pool.QueryRow(ctx, "select count(*) from job_upload").Scan(&noted); err != nil {
			t.Fatal(err)
		}
		return came == 0 && made == 6 && noted == 0
	})
}

// TestUploadsRefused: what is refused leaves nothing.
func TestUploadsRefused(t *testing.T) {
	h := newHouse(t, false, func(c *processes.Config) { c.UploadedBytes = 1000 })
	pool, err := pgxpool.New(t.Context(), h.url)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	ann := auth.Principal{User: "ann", Role: auth.Processor}
	submit := func(who auth.Principal, inputs string, u *processes.Upload) error {
		r := asked(t, inputs)
		r.Uploads = map[string]*processes.Upload{"KEY": u}
		_, err := h.engine.Submit(auth.With(t.Context(), who), "echo", r)
		return err
	}
	for name, tc := range map[string]struct {
		inputs string
		upload *processes.Upload
		kind   fault.Kind
		says   string
	}{
		"not base64":          {`{"imageInput":"KEY"}`, upload(t, "%%%%", "", true), fault.Invalid, "base64"},
		"half of it":          {`{"imageInput":"KEY"}`, upload(t, "aGVsbG8", "", true), fault.Invalid, "base64"},
		"nothing":             {`{"imageInput":"KEY"}`, upload(t, "", "x.png", false), fault.Invalid, "empty"},
		"no file there":       {`{"integerInput":1}`, upload(t, "hello", "", true), fault.TooLarge, "none is taken"},
		"more than may be":    {`{"imageInput":"KEY"}`, upload(t, strings.Repeat("x", 1001), "x.png", false), fault.OverQuota, "1001"},
		"too long for a text": {`{"stringInput":"KEY"}`, upload(t, strings.Repeat("x", 17<<20), "", true), fault.TooLarge, "no file"},
	} {
		if err := submit(ann, tc.inputs, tc.upload); !fault.Is(err, tc.kind) || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var noted int
	if err := pool.QueryRow(t.Context(), "select count(*) from job_upload").Scan(&noted); err != nil || noted != 0 {
		t.Errorf("%d are noted, %v", noted, err)
	}
	if err := submit(ann, `{"imageInput":"KEY"}`, upload(t, strings.Repeat("x", 600), "x.png", false)); err != nil {
		t.Error(err)
	}
	if err := submit(ann, `{"imageInput":"KEY"}`, upload(t, strings.Repeat("x", 600), "x.png", false)); !fault.Is(err, fault.OverQuota) {
		t.Errorf("two that are too much together: %v", err)
	}
	if err := submit(auth.Principal{User: "bob", Role: auth.Processor}, `{"imageInput":"KEY"}`, upload(t, strings.Repeat("x", 600), "x.png", false)); err != nil {
		t.Errorf("another's: %v", err)
	}
	ann.Quotas.UploadedBytes = 2000
	if err := submit(ann, `{"imageInput":"KEY"}`, upload(t, strings.Repeat("x", 600), "x.png", false)); err != nil {
		t.Errorf("within a quota of one's own: %v", err)
	}
	ann.Quotas.Jobs = 1
	if err := submit(ann, `{"imageInput":"KEY"}`, upload(t, "x", "x.png", false)); !fault.Is(err, fault.OverQuota) {
		t.Errorf("a job too many: %v", err)
	}
	objects := 0
	for _, err := range h.config.Objects.List(t.Context(), "jobs/") {
		if err != nil {
			t.Fatal(err)
		}
		objects++
	}
	if objects != 3 {
		t.Errorf("%d objects, not those of the three jobs", objects)
	}

	// A text that is no file is one, however long; and what a server left that died before the job was stored is removed.
	if err := submit(auth.Principal{User: "eve", Role: auth.Processor}, `{"stringInput":"KEY"}`, upload(t, "long", "", true)); err != nil {
		t.Error(err)
	}
	if _, err := h.config.Objects.Put(t.Context(), "jobs/gone/in/x/0/x", "text/plain", bytes.NewReader([]byte("x"))); err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Exec(t.Context(), "insert into job_upload (job, owner, bytes, created) values ('gone', 'ann', 1, now() - interval '1 day')"); err != nil {
		t.Fatal(err)
	}
	h.work(t)
	until(t, 10*time.Second, "what a dead server left is removed", func() bool {
		_, err := h.config.Objects.Stat(t.Context(), "jobs/gone/in/x/0/x")
		return fault.Is(err, fault.NotFound)
	})
}
