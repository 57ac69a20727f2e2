package processes

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"swath/auth"
	"swath/chains"
	"swath/fault"
)

// Upload is a file that comes with a request: where a text of an input is its name in Request.Uploads, it stands there.
type Upload struct {
	File  *os.File // read from its beginning; the request's, not the job's
	Bytes int64
	Name  string // as its sender calls it; empty: it has none
	Said  bool   // it is a text of JSON, as a file by value is given: base64, or the file itself where its media type says so

	taken bool // by an input
}

// upload is one that an input has.
type upload struct {
	*Upload
	encoded bool // in base64
}

// bytes is how large the file is, or at most.
func (u *upload) bytes() int64 {
	if u.encoded {
		return u.Bytes/4*3 + 3
	}
	return u.Bytes
}

// body is the file, from its beginning.
func (u *upload) body() io.Reader {
	from := io.NewSectionReader(u.File, 0, u.Bytes)
	if u.encoded {
		return base64.NewDecoder(base64.StdEncoding, from)
	}
	return from
}

// restored is a value with its long texts, which are no files.
func (r Request) restored(raw json.RawMessage) (json.RawMessage, error) {
	for key, u := range r.Uploads {
		if quote := []byte(strconv.Quote(key)); u.Said && bytes.Contains(raw, quote) {
			if u.Bytes > mostData {
				return nil, fault.New(fault.TooLarge, "a text has %d bytes; one that is no file may have %d", u.Bytes, mostData)
			}
			text, err := io.ReadAll(io.NewSectionReader(u.File, 0, u.Bytes))
			if err != nil {
				return nil, err
			}
			raw, u.taken = bytes.ReplaceAll(raw, quote, []byte(quoted(string(text)))), true
		}
	}
	return raw, nil
}

// told is the request as it is kept: without its files.
func (r Request) told() Request {
	if len(r.Uploads) == 0 {
		return r
	}
	kept := map[string]json.RawMessage{}
	for name, raw := range r.Inputs {
		text := string(raw)
		for key, u := range r.Uploads {
			said := strings.TrimSpace(u.Name + " (" + strconv.FormatInt(u.Bytes, 10) + " bytes, sent with the request)")
			text = strings.ReplaceAll(text, strconv.Quote(key), quoted(said))
		}
		kept[name] = json.RawMessage(text)
	}
	r.Inputs, r.Uploads = kept, nil
	return r
}

func quoted(text string) string {
	body, err := json.Marshal(text)
	if err != nil {
		panic(err) // a text always can
	}
	return string(body)
}

// keepUploads puts the files that came with a request where workers find them, as objects of the job. When it fails, and when the job is not stored after
// all, forget takes them away.
func (e *Engine) keepUploads(ctx context.Context, job string, chain chains.Chain, inputs map[string]bound) (forget func(), err error) {
	var size int64
	for _, b := range inputs {
		for _, s := range b.Sources {
			if s.Upload != nil {
				size += s.Upload.bytes()
			}
		}
	}
	if size == 0 {
		return func() {}, nil
	}
	if err := e.admitUploads(ctx, job, size); err != nil {
		return nil, jobsErr("uploads", err)
	}
	forget = func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		if err := e.forgetUploads(ctx, job); err != nil {
			e.cfg.Log.Warn("files of a request stay for a while", "job", job, "err", err) // the janitor removes them
		}
	}
	for _, f := range chain.Inputs {
		for i := range inputs[f.Name].Sources {
			if err := e.keepUpload(ctx, job, f, i, &inputs[f.Name].Sources[i]); err != nil {
				forget()
				return nil, ofInput(f.Name, err)
			}
		}
	}
	return forget, nil
}

// keepUpload makes an object of one.
func (e *Engine) keepUpload(ctx context.Context, job string, f chains.Field, i int, s *source) error {
	if s.Upload == nil {
		return nil
	}
	name := s.Upload.Name
	if !plainName.MatchString(name) {
		name = f.Name + extensionOf(s.Media, f.Media)
	}
	key := fmt.Sprintf("%sin/%s/%d/%s", objectsOf(job), f.Name, i, name)
	info, err := e.cfg.Objects.Put(ctx, key, s.Media, s.Upload.body())
	var wrong base64.CorruptInputError
	if errors.As(err, &wrong) || errors.Is(err, io.ErrUnexpectedEOF) && s.Upload.encoded {
		return fault.New(fault.Invalid, "a file given by value is base64, or text with a mediaType that says so")
	} else if err != nil {
		return err
	}
	s.Object = &PinnedFile{Object: key, Name: name, Checksum: "1220" + info.SHA256, Media: s.Media, Bytes: info.Size}
	s.Upload = nil
	return nil
}

//go:embed sql/uploaded.sql
var uploadedSQL string

// admitUploads notes files before they are stored, unless their owner has as many there as he may.
func (e *Engine) admitUploads(ctx context.Context, job string, size int64) error {
	who := auth.From(ctx)
	most := who.Quotas.UploadedBytes
	if most == 0 {
		most = e.cfg.UploadedBytes
	}
	return pgx.BeginFunc(ctx, e.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "select pg_advisory_xact_lock(hashtextextended('upload of ' || $1, 0))", who.User); err != nil {
			return err
		}
		var have int64
		if err := tx.QueryRow(ctx, uploadedSQL, who.User).Scan(&have); err != nil {
			return err
		}
		if have+size > most {
			return &fault.Error{Kind: fault.OverQuota, After: time.Minute, Public: fmt.Sprintf("files of %d bytes came with jobs that are waiting or running; with the %d of this request there may be %d", have, size, most)}
		}
		_, err := tx.Exec(ctx, "insert into job_upload (job, owner, bytes) values ($1, $2, $3)", job, who.User, size)
		return err
	})
}

// forgetUploads removes the files of a job, unless it is there: it may have been stored though nobody was told.
func (e *Engine) forgetUploads(ctx context.Context, job string) error {
	var stored bool
	if err := e.pool.QueryRow(ctx, "select exists (select from job where id = $1)", job).Scan(&stored); err != nil || stored {
		return err
	}
	for info, err := range e.cfg.Objects.List(ctx, objectsOf(job)) {
		if err != nil {
			return err
		}
		if err := e.cfg.Objects.Delete(ctx, info.Key); err != nil {
			return err
		}
	}
	_, err := e.pool.Exec(ctx, "delete from job_upload where job = $1", job)
	return err
}

// orphanAge is after how long files whose job was never stored are taken for left: a body may come for six hours.
const orphanAge = 12 * time.Hour

// sweepUploads removes files of requests whose server died before their job was stored.
func (w *worker) sweepUploads(ctx context.Context) error {
	rows, _ := w.pool.Query(ctx, `select u.job from job_upload u where created < now() - make_interval(secs => $1) and not exists (select from job where id = u.job) limit 100`, orphanAge.Seconds())
	left, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, job := range left {
		if err := w.forgetUploads(ctx, job); err != nil {
			return err
		}
	}
	return nil
}
