package catalog

import (
	"context"
	_ "embed"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
)

//go:embed sql/words.sql
var wordsSQL string

//go:embed sql/number_words.sql
var numberWordsSQL string

//go:embed sql/numbers.sql
var numbersSQL string

// wordKind says which column of item a word is numbered for.
type wordKind byte

const (
	gridWord     wordKind = 'g' // item.grid
	platformWord wordKind = 'p' // item.plat
)

// unnumbered stands in a column where the body must be looked at: for a text that is no word, such as one that is too long.
const unnumbered = 0

// mostPlatforms is how many platforms a smallint tells apart; further ones are unnumbered.
const mostPlatforms = 1<<15 - 1

// word is a text that stands as a number in a column of item.
type word struct {
	kind wordKind
	text string
}

// words remembers the numbers of words that the database holds. They never change, so what is known stays true.
type words struct {
	mu      sync.RWMutex
	numbers map[word]int32
}

func newWords() *words { return &words{numbers: map[word]int32{}} }

// known returns the number of a word, if it has been read.
func (w *words) known(key word) (int32, bool) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	n, ok := w.numbers[key]
	return n, ok
}

// querier is a connection or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// load reads every word that was not yet known, and returns all by their text. Those of a kind are few.
func (w *words) load(ctx context.Context, q querier, kind wordKind) (map[string]int32, error) {
	rows, err := q.Query(ctx, wordsSQL, string(rune(kind)))
	if err != nil {
		return nil, err
	}
	all := map[string]int32{}
	var text string
	var number int32
	_, err = pgx.ForEachRow(rows, []any{&text, &number}, func() error {
		all[text] = number
		return nil
	})
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for text, number := range all {
		w.numbers[word{kind, text}] = number
	}
	return all, nil
}

// number gives every one of these words a number. It must not run inside of a transaction: it commits on its own.
func (w *words) number(ctx context.Context, q querier, keys []word) (map[word]int32, error) {
	numbers, missing := map[word]int32{}, map[word]bool{}
	for _, key := range keys {
		switch n, ok := w.known(key); {
		case ok:
			numbers[key] = n
		case len(key.text) > longestTermBytes || strings.ContainsRune(key.text, 0):
			numbers[key] = unnumbered
		default:
			missing[key] = true
		}
	}
	if len(missing) == 0 {
		return numbers, nil
	}
	var kinds, texts []string
	for _, key := range slices.SortedFunc(maps.Keys(missing), compareWords) {
		kinds, texts = append(kinds, string(rune(key.kind))), append(texts, key.text)
	}
	batch := &pgx.Batch{} // one transaction; the lock comes first so that what others numbered is seen
	batch.Queue("select pg_advisory_xact_lock($1)", wordLock)
	batch.Queue(numberWordsSQL, kinds, texts, mostPlatforms)
	batch.Queue(numbersSQL, kinds, texts).Query(func(rows pgx.Rows) error {
		var kind, text string
		var number int32
		_, err := pgx.ForEachRow(rows, []any{&kind, &text, &number}, func() error {
			numbers[word{wordKind(kind[0]), text}] = number
			return nil
		})
		return err
	})
	if err := q.SendBatch(ctx, batch).Close(); err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for key := range missing {
		if n, ok := numbers[key]; !ok {
			numbers[key] = unnumbered
		} else {
			w.numbers[key] = n
		}
	}
	return numbers, nil
}

// wordLock is the advisory lock of those who number words: "word" in ASCII.
const wordLock = 0x776f7264

func compareWords(a, b word) int {
	if a.kind != b.kind {
		return int(a.kind) - int(b.kind)
	}
	if a.text < b.text {
		return -1
	}
	return 1
}
