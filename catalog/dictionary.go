package catalog

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

//go:embed sql/samples.sql
var samplesSQL string

//go:embed sql/untrained.sql
var untrainedSQL string

//go:embed sql/insert_dictionary.sql
var insertDictionarySQL string

const (
	dictionaryFrom    = 1_000 // items of a collection: fewer are not worth one
	dictionarySamples = 2_500
	// dictionaryGrowth is how many times as many items a collection has when it gets another dictionary: items change with the
	// years, and an archive that is loaded in their order teaches only the first of them.
	dictionaryGrowth = 8
	dictionaryLock   = 0x64696374 // "dict" in ASCII
)

// readDictionary returns a dictionary that another process has trained, over a connection of its own: whoever needs it may
// hold the last one of the pool.
func readDictionary(conf *pgx.ConnConfig) func(number int16) ([]byte, error) {
	return func(number int16) (trained []byte, err error) {
		ctx, cancel := context.WithTimeout(context.Background(), busyPatience)
		defer cancel()
		conn, err := pgx.ConnectConfig(ctx, conf)
		if err != nil {
			return nil, classify(err)
		}
		defer conn.Close(ctx)
		err = conn.QueryRow(ctx, "select bytes from dictionary where number = $1", number).Scan(&trained)
		return trained, classify(err)
	}
}

// useDictionaries makes all that have been trained known.
func (s *Store) useDictionaries(ctx context.Context, q querier) error {
	rows, err := q.Query(ctx, "select number, col, bytes from dictionary where number > $1 order by number", s.pack.newest())
	if err != nil {
		return err
	}
	var number, collection int16
	var trained []byte
	_, err = pgx.ForEachRow(rows, []any{&number, &collection, &trained}, func() error {
		return s.pack.use(collection, number, trained)
	})
	return err
}

// train gives every collection a dictionary that has items enough for its first, or its next.
func (s *Store) train(ctx context.Context) error {
	return s.with(ctx, "train dictionaries", func(conn *pgxpool.Conn) error {
		if err := s.useDictionaries(ctx, conn); err != nil {
			return err
		}
		rows, err := conn.Query(ctx, untrainedSQL, dictionaryFrom, dictionaryGrowth)
		if err != nil {
			return err
		}
		type due struct {
			Collection int16
			Items      int64
		}
		untrained, err := pgx.CollectRows(rows, pgx.RowToStructByPos[due])
		if err != nil {
			return err
		}
		for _, d := range untrained {
			samples, err := s.samples(ctx, conn, d.Collection)
			if err != nil {
				return err
			}
			if err := s.trainFrom(ctx, conn, d.Collection, samples, d.Items); err != nil {
				return err
			}
		}
		return nil
	})
}

// samples returns bodies of a collection, evenly drawn.
func (s *Store) samples(ctx context.Context, q querier, collection int16) ([][]byte, error) {
	rows, err := q.Query(ctx, samplesSQL, collection, dictionarySamples)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) ([]byte, error) {
		var dict int16
		var packed []byte
		if err := row.Scan(&dict, &packed); err != nil {
			return nil, err
		}
		return s.pack.decode(dict, packed)
	})
}

// trainOne trains a collection's first dictionary from bodies as they are stored, unless it has one, and makes it used from
// now on. Too few samples make none.
func (s *Store) trainOne(ctx context.Context, q querier, collection int16, samples [][]byte) error {
	return s.trainFrom(ctx, q, collection, samples, int64(len(samples)))
}

// trainFrom does so from samples of so many items.
func (s *Store) trainFrom(ctx context.Context, q querier, collection int16, samples [][]byte, items int64) error {
	if len(samples) < dictionaryFrom {
		return nil
	}
	trained, err := trainDictionary(samples)
	if err != nil {
		return fmt.Errorf("of collection %d: %w", collection, err)
	}
	batch := &pgx.Batch{}
	batch.Queue("select pg_advisory_xact_lock($1)", dictionaryLock)
	batch.Queue(insertDictionarySQL, collection, trained, items, dictionaryGrowth)
	if err := q.SendBatch(ctx, batch).Close(); err != nil {
		return err
	}
	return s.useDictionaries(ctx, q) // ours, or that of who was faster
}
