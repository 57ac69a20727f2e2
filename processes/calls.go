package processes

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/url"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"swath/fault"
)

// The events that a subscriber may be told of.
const (
	eventProgress = "inProgress"
	eventSuccess  = "success"
	eventFailed   = "failed"
)

const (
	mostTries = 6                // of one call: the last comes half an hour after the first
	callTime  = 30 * time.Second // that one may take
	firstWait = 5 * time.Second  // before the second try; each later one waits four times as long
)

// calls returns whom to tell of what. Addresses that are never asked are fault.Invalid.
func (e *Engine) calls(s *Subscriber) ([]call, error) {
	if s == nil {
		return nil, nil
	}
	var all []call
	for _, c := range []call{{eventProgress, s.InProgressURI}, {eventSuccess, s.SuccessURI}, {eventFailed, s.FailedURI}} {
		if c.url == "" {
			continue
		}
		if err := e.cfg.Egress.Check(c.url); err != nil {
			_, public := fault.Of(err)
			return nil, fault.Wrap(fault.Invalid, err, "subscriber: %.200q: %s", c.url, public)
		}
		all = append(all, c)
	}
	return all, nil
}

// addCalls notes the calls of an event, to be made after the transaction.
func addCalls(ctx context.Context, tx pgx.Tx, job string, s *Subscriber, event string) error {
	if s == nil {
		return nil
	}
	address := map[string]string{eventProgress: s.InProgressURI, eventSuccess: s.SuccessURI, eventFailed: s.FailedURI}[event]
	if address == "" {
		return nil
	}
	_, err := tx.Exec(ctx, "insert into job_call (job, event, url) values ($1, $2, $3)", job, event, address)
	return err
}

// ring makes the calls that are due, until ctx ends. One that is not heard is made again later, in any process; no job waits for it.
func (w *worker) ring(ctx context.Context) {
	told, done := w.news.of("")
	defer done()
	for ctx.Err() == nil {
		more, err := w.ringNext(ctx)
		if err != nil && !ended(ctx, err) {
			w.cfg.Log.Warn("subscribers of jobs are not told", "err", err)
		}
		if more {
			continue
		}
		select {
		case <-ctx.Done():
		case <-told:
		case <-time.After(lookAgain):
		}
	}
}

// ringNext makes one call that is due. The row is taken for as long as the call may last, so that others leave it alone meanwhile.
func (w *worker) ringNext(ctx context.Context) (more bool, err error) {
	var id int64
	var job string
	var c call
	var tries int
	err = w.pool.QueryRow(ctx, `update job_call set tries = tries + 1, next_try = now() + make_interval(secs => $1) where id =
		(select id from job_call where next_try <= now() order by next_try limit 1 for update skip locked) returning id, job, event, url, tries`,
		(2*callTime).Seconds()).Scan(&id, &job, &c.event, &c.url, &tries)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	failure := w.tell(ctx, job, c)
	if failure == nil || tries >= mostTries {
		if failure != nil {
			w.cfg.Log.Warn("subscriber of a job is not told", "job", job, "tries", tries, "err", failure)
		}
		_, err = w.pool.Exec(ctx, "delete from job_call where id = $1", id)
	} else {
		_, err = w.pool.Exec(ctx, "update job_call set next_try = now() + make_interval(secs => $2) where id = $1", id, (w.cfg.Pace.Call << (2 * (tries - 1))).Seconds())
	}
	return true, err
}

// tell makes one call: how the job stands, or its results, signed where the installation has a secret.
func (w *worker) tell(ctx context.Context, job string, c call) error {
	ctx, done := context.WithTimeout(ctx, callTime)
	defer done()
	rows, _ := w.pool.Query(ctx, jobSQL, pgx.NamedArgs{"id": job, "all": true, "owner": ""})
	j, err := pgx.CollectExactlyOneRow(rows, scanJob)
	if errors.Is(err, pgx.ErrNoRows) || err == nil && j.Status == Dismissed {
		return nil // nothing to tell of any more
	} else if err != nil {
		return err
	}
	body, err := w.callBody(ctx, j, c.event)
	if err != nil {
		return err
	}
	at := strconv.FormatInt(time.Now().Unix(), 10)
	headers := map[string]string{"Content-Type": mediaJSON, "X-Swath-Event": c.event, "X-Swath-Job": j.ID, "X-Swath-Timestamp": at}
	if len(w.cfg.CallSecret) > 0 {
		headers["X-Swath-Signature"] = Signature(w.cfg.CallSecret, at, body)
	}
	return w.cfg.Egress.Post(ctx, c.url, body, headers)
}

// Signature is what signs a call: "sha256=" and the HMAC, in hexadecimal, of the timestamp, a full stop and the body. Who is called
// computes it of what came, compares, and refuses timestamps that are minutes old.
func Signature(secret []byte, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(timestamp + ".")) //nolint:errcheck // never fails
	mac.Write(body)                    //nolint:errcheck // never fails
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// callBody is the body of a call: the results of a job that went well, else its status, in OGC's words.
func (w *worker) callBody(ctx context.Context, j Job, event string) ([]byte, error) {
	base := ""
	if len(w.cfg.Bases) > 0 {
		base = w.cfg.Bases[len(w.cfg.Bases)-1]
	}
	if event != eventSuccess {
		status := map[string]any{"type": "process", "jobID": j.ID, "processID": j.Process, "status": j.Status, "message": j.Message, "progress": j.Progress,
			"created": j.Created, "updated": j.Updated, "links": []any{map[string]any{"rel": "monitor", "type": mediaJSON, "href": base + "/jobs/" + j.ID}}}
		if j.Started != nil {
			status["started"] = j.Started
		}
		if j.Finished != nil {
			status["finished"] = j.Finished
		}
		return json.Marshal(status)
	}
	var stored []byte
	if err := w.pool.QueryRow(ctx, "select coalesce(results, '[]') from job where id = $1", j.ID).Scan(&stored); err != nil {
		return nil, err
	}
	var results []Result
	if err := json.Unmarshal(stored, &results); err != nil {
		return nil, err
	}
	document := map[string]any{}
	for _, r := range results {
		if r.Parts == nil {
			document[r.Name] = r.Value
			continue
		}
		var links []any
		for _, p := range r.Parts {
			href := base + "/jobs/" + j.ID + "/results/" + r.Name
			if p.Item != "" {
				href = base + "/collections/" + url.PathEscape(p.Collection) + "/items/" + url.PathEscape(p.Item)
			}
			links = append(links, map[string]any{"href": href, "type": r.Media, "title": p.Name + p.Item})
		}
		document[r.Name] = links[0]
		if r.Many {
			document[r.Name] = links
		}
	}
	return json.Marshal(document)
}
