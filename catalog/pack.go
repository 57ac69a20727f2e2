package catalog

import (
	"fmt"

	"github.com/klauspost/compress/zstd"
)

// noDictionary is the value of item.dict for a body that was packed without one.
const noDictionary = 0

// packer turns bodies into what is stored and back. It is safe for concurrent use.
type packer struct {
	encoder *zstd.Encoder
	decoder *zstd.Decoder
}

func newPacker() (*packer, error) {
	// Items are some kilobytes: a small window keeps the encoders small.
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(1<<17), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, err
	}
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, err
	}
	return &packer{encoder, decoder}, nil
}

func (p *packer) close() { p.decoder.Close() }

func (p *packer) encode(body []byte) []byte { return p.encoder.EncodeAll(body, nil) }

// decode returns a new slice.
func (p *packer) decode(dict int16, packed []byte) ([]byte, error) {
	if dict != noDictionary {
		return nil, fmt.Errorf("body is packed with dictionary %d, which this swath does not know", dict)
	}
	body, err := p.decoder.DecodeAll(packed, nil)
	if err != nil {
		return nil, fmt.Errorf("unpack body: %w", err)
	}
	return body, nil
}
