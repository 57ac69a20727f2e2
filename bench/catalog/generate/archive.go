package main

import (
	"io"
	"math/rand/v2"
	"slices"
)

// perStretch is how many items are made from one stretch of time.
const perStretch = 2000

// archive is everything that items are made from.
type archive struct {
	items  int64
	seed   uint64
	world  *world
	styles map[string]*style
}

func newArchive(docs map[string]document, items int64, seed uint64) (*archive, error) {
	w, err := newWorld()
	if err != nil {
		return nil, err
	}
	return &archive{items: items, seed: seed, world: w, styles: newStyles(docs)}, nil
}

func (a *archive) stretches() int64 { return (a.items + perStretch - 1) / perStretch }

// write prints all items, or for a sample the first few of evenly spread stretches.
func (a *archive) write(out io.Writer, sample int64, workers int) error {
	first, step, most := int64(0), int64(1), perStretch
	if sample > 0 {
		most = int(min(perStretch, max(16, (sample+a.stretches()-1)/a.stretches()), sample, a.items)) // a stretch costs the same for one
		step = max(1, a.stretches()*int64(most)/sample)
		first = (a.stretches() - 1) % step / 2
	}
	// Stretches are made side by side and printed in order; a made one waits in its slot until its turn comes.
	slots := make([]chan []byte, workers)
	free := make(chan []byte, 2*workers)
	stop := make(chan struct{})
	defer close(stop)
	for i := range slots {
		slots[i] = make(chan []byte, 1)
		free <- nil
		free <- nil
		go func() {
			for n := first + int64(i)*step; n < a.stretches(); n += int64(workers) * step {
				select {
				case buffer := <-free:
					slots[i] <- a.stretch(buffer[:0], n, most)
				case <-stop:
					return
				}
			}
			close(slots[i])
		}()
	}
	for i := 0; ; i = (i + 1) % workers {
		text, more := <-slots[i]
		if !more {
			return nil
		}
		if _, err := out.Write(text); err != nil {
			return err
		}
		free <- text
	}
}

// stretch appends the items of stretch n, at most so many of them.
func (a *archive) stretch(out []byte, n int64, most int) []byte {
	from, to := n*perStretch, min((n+1)*perStretch, a.items)
	source := rand.NewPCG(a.seed, uint64(n))
	random := rand.New(source)
	scenes := make([]scene, 0, perStretch)
	begin, end := clock.at(float64(from)/float64(a.items)), clock.at(float64(to)/float64(a.items))
	seen := map[sceneKey]bool{}
	for range to - from {
		scenes = append(scenes, a.world.draw(random, begin, end, seen))
	}
	slices.SortFunc(scenes, func(a, b scene) int { return int(a.start - b.start) })
	step := max(1, len(scenes)/most) // a sample is spread over its stretch too
	for i := 0; i < len(scenes) && i < step*most; i += step {
		source.Seed(a.seed, 1<<63|uint64(from)+uint64(i)) // an item's text depends on nothing before it
		text := writer{out: out, random: random}
		a.styles[scenes[i].kind].item(&text, &scenes[i], (from+int64(i))%rareEvery == rareFirst)
		out = append(text.out, '\n')
	}
	return out
}
