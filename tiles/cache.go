package tiles

import (
	"container/list"
	"context"
	"io"
	"sync"
	"time"
)

// cache keeps the most recently used values, made once per key, up to a weight and for at most ttl (0: for ever). Values that are closed when
// they leave are closed after their last user.
type cache[V any] struct {
	most  int
	weigh func(V) int // what counts of a value; nil: 1
	ttl   time.Duration

	flight flight[*entry[V]]
	mu     sync.Mutex
	byKey  map[string]*list.Element // of *entry[V]
	recent list.List                // most recent first
	weight int                      // of them all
}

type entry[V any] struct {
	key    string
	value  V
	made   time.Time
	users  int // the cache itself counts as one
	weight int
}

// get returns the value of a key, making it when it is missing or too old. The caller calls release when done with it.
func (c *cache[V]) get(ctx context.Context, key string, make func(context.Context) (V, error)) (v V, release func(), err error) {
	for {
		if e := c.take(key); e != nil {
			return e.value, func() { c.release(e) }, nil
		}
		e, err := c.flight.do(ctx, key, func(ctx context.Context) (*entry[V], error) {
			v, err := make(ctx)
			if err != nil {
				return nil, err
			}
			return c.put(key, v), nil
		})
		if err != nil {
			return v, nil, err
		}
		if c.use(e) {
			return e.value, func() { c.release(e) }, nil
		} // evicted between the making and the using: make it again
	}
}

// has reports whether there is a fresh value.
func (c *cache[V]) has(key string) bool {
	e := c.take(key)
	if e == nil {
		return false
	}
	c.release(e)
	return true
}

// take returns a fresh entry with one user more, or nil.
func (c *cache[V]) take(key string) *entry[V] {
	c.mu.Lock()
	defer c.mu.Unlock()
	el := c.byKey[key]
	if el == nil {
		return nil
	}
	e := el.Value.(*entry[V])
	if c.ttl > 0 && time.Since(e.made) > c.ttl {
		c.drop(el)
		return nil
	}
	c.recent.MoveToFront(el)
	e.users++
	return e
}

func (c *cache[V]) use(e *entry[V]) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.users == 0 {
		return false
	}
	e.users++
	return true
}

func (c *cache[V]) put(key string, v V) *entry[V] {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byKey == nil {
		c.byKey = map[string]*list.Element{}
	}
	if el := c.byKey[key]; el != nil {
		c.drop(el)
	}
	e := &entry[V]{key: key, value: v, made: time.Now(), users: 1, weight: 1}
	if c.weigh != nil {
		e.weight = c.weigh(v)
	}
	c.byKey[key] = c.recent.PushFront(e)
	for c.weight += e.weight; c.weight > c.most && c.recent.Len() > 1; {
		c.drop(c.recent.Back())
	}
	return e
}

// drop takes an entry out of the cache; its users keep it alive.
func (c *cache[V]) drop(el *list.Element) {
	e := c.recent.Remove(el).(*entry[V])
	delete(c.byKey, e.key)
	c.weight -= e.weight
	c.unuse(e)
}

func (c *cache[V]) release(e *entry[V]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unuse(e)
}

func (c *cache[V]) unuse(e *entry[V]) {
	if e.users--; e.users == 0 {
		if closer, ok := any(e.value).(io.Closer); ok {
			closer.Close() // read-only: there is nothing to lose
		}
	}
}
