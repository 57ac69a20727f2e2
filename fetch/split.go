package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"swath/fault"
)

// mostPieces is how many pieces a file is fetched in at most.
const mostPieces = 4

// errOther is the error of a source that has other bytes meanwhile, or does not obey ranges.
var errOther = errors.New("the source has other bytes, or sends them from the first on")

// piece is one stretch of a file, in a part of its own until the file is put together.
//
//	part: 0 ─▶ a     part.2: a ─▶ b     part.3: b ─▶ the end
type piece struct {
	part     string
	from, to int64
}

// Split fetches as Into does, a file of so many bytes in up to n pieces at a time; in one where the source has no strong ETag or does not
// obey ranges. What came of each piece outlives the process.
func Split(ctx context.Context, open Open, part string, size int64, n int, o Options) error {
	pieces := piecesOf(part, size)
	if pieces == nil {
		info, err := os.Stat(part)
		if _, tagErr := os.Stat(part + ".tag"); err == nil && tagErr == nil && info.Size() == size { // whole when its process died
			return RemovePieces(part)
		}
		if n < 2 || err == nil { // it was begun in one
			return Into(ctx, open, part, o)
		}
		tag, err := tagOf(ctx, open, size)
		switch {
		case err != nil:
			return err
		case tag == "":
			return Into(ctx, open, part, o)
		}
		if pieces, err = begin(part, size, min(n, mostPieces), tag); err != nil {
			return err
		}
	}
	err := bring(ctx, open, pieces, max(n, 1), o)
	if errors.Is(err, errOther) {
		if err := errors.Join(RemovePieces(part), Remove(part)); err != nil {
			return err
		}
		return Into(ctx, open, part, o)
	} else if err != nil {
		return err
	}
	return errors.Join(join(pieces), RemovePieces(part))
}

// RemovePieces takes away what lies beside a part of its further pieces.
func RemovePieces(part string) (err error) {
	for k := 2; k <= mostPieces; k++ {
		err = errors.Join(err, os.RemoveAll(begun(part, k)), Remove(fmt.Sprintf("%s.%d", part, k)))
	}
	return err
}

// Here is how many bytes of a part, and of its further pieces, have come.
func Here(part string) (bytes int64) {
	for k := 1; k <= mostPieces; k++ {
		name := part
		if k > 1 {
			name = fmt.Sprintf("%s.%d", part, k)
		}
		if info, err := os.Stat(name); err == nil {
			bytes += info.Size()
		}
	}
	return bytes
}

// piecesOf returns the pieces in which a file was begun; nil when it was not.
func piecesOf(part string, size int64) (pieces []piece) {
	bounds := map[int]int64{}
	for k := 2; k <= mostPieces; k++ {
		text, err := os.ReadFile(begun(part, k))
		var from, whole int64
		if _, scanErr := fmt.Sscanf(string(text), "%d of %d", &from, &whole); err == nil && scanErr == nil && whole == size {
			bounds[k] = from
		}
	}
	end := size
	for k := mostPieces; k >= 2; k-- {
		if from, ok := bounds[k]; ok {
			pieces = append([]piece{{fmt.Sprintf("%s.%d", part, k), from, end}}, pieces...)
			end = from
		}
	}
	if pieces == nil {
		return nil
	}
	return append([]piece{{part, 0, end}}, pieces...)
}

// begun is the file that says where a piece begins.
func begun(part string, k int) string { return fmt.Sprintf("%s.%d.from", part, k) }

// tagOf asks for a source's strong ETag; empty when it has none, or another size.
func tagOf(ctx context.Context, open Open, size int64) (string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	body, err := open(ctx, 0, "")
	if err != nil {
		return "", err
	}
	defer body.Close()
	if body.Total != size {
		return "", nil
	}
	return body.Tag, nil
}

// begin lays out n pieces that belong to a tag.
func begin(part string, size int64, n int, tag string) ([]piece, error) {
	for k := 1; k <= n; k++ {
		name := part
		if k > 1 {
			name = fmt.Sprintf("%s.%d", part, k)
			if err := os.WriteFile(begun(part, k), fmt.Appendf(nil, "%d of %d", int64(k-1)*size/int64(n), size), 0o644); err != nil {
				return nil, err
			}
		}
		if err := os.WriteFile(name+".tag", []byte(tag), 0o644); err != nil {
			return nil, err
		}
	}
	return piecesOf(part, size), nil
}

// bring fetches pieces, n at a time.
func bring(ctx context.Context, open Open, pieces []piece, n int, o Options) error {
	o.Tally = nil // bytes come in no order
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var group sync.WaitGroup
	slots := make(chan struct{}, n)
	for _, p := range pieces {
		group.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			if err := p.bring(ctx, open, o); err != nil {
				cancel(err)
			}
		})
	}
	group.Wait()
	return context.Cause(ctx)
}

// bring fetches one piece, if it is not there.
func (p piece) bring(ctx context.Context, open Open, o Options) error {
	tag, err := os.ReadFile(p.part + ".tag")
	if err != nil {
		return errOther
	}
	if info, err := os.Stat(p.part); err == nil && info.Size() >= p.to-p.from {
		return os.Truncate(p.part, p.to-p.from) // being put together, it may have grown
	}
	o.Most = p.to - p.from
	err = Into(ctx, func(ctx context.Context, from int64, _ string) (*Body, error) {
		body, err := open(ctx, p.from+from, string(tag))
		if err != nil {
			return nil, err
		}
		if body.Tag != string(tag) || body.From != p.from+from {
			body.Close()
			return nil, errOther
		}
		return &Body{ReadCloser: limited{io.LimitReader(body, p.to-p.from-from), body}, From: from, Total: p.to - p.from, Tag: body.Tag}, nil
	}, p.part, o)
	if fault.Is(err, fault.Stale) {
		return errOther
	}
	return err
}

// limited is the beginning of a body.
type limited struct {
	io.Reader
	io.Closer
}

// join puts pieces together, one behind the other. Broken off, it goes on with those that are left.
func join(pieces []piece) error {
	whole, err := os.OpenFile(pieces[0].part, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer whole.Close()
	for _, p := range pieces[1:] {
		from, err := os.Open(p.part)
		if err != nil {
			return err
		}
		if _, err = whole.Seek(p.from, io.SeekStart); err == nil {
			_, err = io.Copy(whole, from)
		}
		from.Close()
		if err == nil {
			err = whole.Sync()
		}
		if err == nil {
			err = errors.Join(os.Remove(p.part+".from"), Remove(p.part))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
