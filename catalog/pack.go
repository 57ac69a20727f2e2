package catalog

import (
	"bytes"
	"fmt"
	"sync"
)

// noDictionary is the value of item.dict for a body that was packed without one.
const noDictionary = 0

// notPacked stands for it in a row whose body is still to be packed.
const notPacked = -1

// packer turns bodies into what is stored and back. It is safe for concurrent use.
type packer struct {
	codecs sync.Pool
	read   func(number int16) ([]byte, error) // from the database

	mu           sync.RWMutex
	dictionaries map[int16]*dictionary // by number
	ofCollection map[int16]*dictionary // by collection number
}

func newPacker(read func(number int16) ([]byte, error)) *packer {
	return &packer{
		codecs: sync.Pool{New: func() any { return newCodec() }}, read: read,
		dictionaries: map[int16]*dictionary{}, ofCollection: map[int16]*dictionary{},
	}
}

// use makes the bodies of a collection be packed with a dictionary from now on.
func (p *packer) use(collection, number int16, trained []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	d, ok := p.dictionaries[number]
	if !ok {
		var err error
		if d, err = newDictionary(number, trained); err != nil {
			return err
		}
		p.dictionaries[number] = d
	}
	if now := p.ofCollection[collection]; now == nil || now.number < number {
		p.ofCollection[collection] = d
	}
	return nil
}

// has reports whether the bodies of a collection are packed with a dictionary.
func (p *packer) has(collection int16) bool {
	return p.of(collection) != nil
}

// newest returns the highest number that is known.
func (p *packer) newest() (number int16) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	for _, d := range p.ofCollection { // dictionaries has such too that were met in an item, and say nothing of those before them
		number = max(number, d.number)
	}
	return number
}

// of returns the dictionary of a collection, or nil.
func (p *packer) of(collection int16) *dictionary {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.ofCollection[collection]
}

// encode packs a body of a collection, and returns the dictionary that it was packed with.
func (p *packer) encode(collection int16, body []byte) (dict int16, packed []byte, err error) {
	c := p.codecs.Get().(*codec)
	defer p.codecs.Put(c)
	dict, packed, err = p.encodeRead(c, collection, body, nil)
	return dict, bytes.Clone(packed), err
}

// encodeRead is encode of a body that the codec may have read last: as says how, or is nil. What it returns is valid until the codec is
// used again.
func (p *packer) encodeRead(c *codec, collection int16, body []byte, as *recognized) (dict int16, packed []byte, err error) {
	if as != nil {
		// Filling in has compared or written each of its bytes, and no value of a sound item holds the mark between values. It is packed by
		// the dictionary that read it, though there may be a newer one: zstd must not read the body, see LoadSource.guarded.
		packed, err = as.dictionary.encodeFilled(c, as.number, as.values)
		return as.dictionary.number, packed, err
	}
	d := p.of(collection)
	if d == nil {
		packed, err = c.encode(nil, body)
		return noDictionary, packed, err
	}
	packed, err = d.encode(c, body)
	return d.number, packed, err
}

// decode returns a new slice.
func (p *packer) decode(dict int16, packed []byte) ([]byte, error) {
	return p.appendDecoded(nil, dict, packed, nil)
}

// usualBody is room for most bodies, unpacked.
const usualBody = 10 << 10

// appendDecoded appends a body, or says errRejected; g may be nil.
func (p *packer) appendDecoded(out []byte, dict int16, packed []byte, g *glance) ([]byte, error) {
	g.begin()
	d, err := p.dictionary(dict)
	if err != nil {
		return nil, err
	}
	c := p.codecs.Get().(*codec)
	defer p.codecs.Put(c)
	if d == nil {
		return c.decode(nil, out, packed)
	}
	if out == nil {
		out = make([]byte, 0, usualBody)
	}
	return d.decode(c, out, packed, g)
}

// appendFilled appends the body of a filled form.
func (p *packer) appendFilled(out []byte, f *form, filled []byte) ([]byte, error) {
	c := p.codecs.Get().(*codec)
	defer p.codecs.Put(c)
	return f.text(out, filled, &c.scratch)
}

// dictionary returns one by its number, nil for none. One that another process has trained is read from the database.
func (p *packer) dictionary(number int16) (*dictionary, error) {
	if number == noDictionary {
		return nil, nil
	}
	p.mu.RLock()
	d := p.dictionaries[number]
	p.mu.RUnlock()
	if d != nil {
		return d, nil
	}
	trained, err := p.read(number)
	if err != nil {
		return nil, fmt.Errorf("dictionary %d: %w", number, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if d = p.dictionaries[number]; d == nil {
		if d, err = newDictionary(number, trained); err == nil {
			p.dictionaries[number] = d
		}
	}
	return d, err
}
