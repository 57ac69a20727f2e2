package catalog

import (
	"os"
	"runtime/debug"
	"unsafe"

	"golang.org/x/sys/unix"

	"swath/fault"
)

// A plain file is not read but mapped: its lines are taken apart where the kernel has them, instead of being copied first, which costs as
// much as packing them. A file that is cut while it is mapped has no memory behind its new end; guarded makes that an error, of what Go reads:
// C that reads there ends the program, so zstd is given copies, or what a form was filled in with.

// mapFile maps a file, or returns nil where that can't be done.
func mapFile(f *os.File, size int64) []byte {
	if size <= 0 || int64(int(size)) != size {
		return nil
	}
	text, err := unix.Mmap(int(f.Fd()), 0, int(size), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil
	}
	_ = unix.Madvise(text, unix.MADV_SEQUENTIAL) // it is advice
	return text
}

// mappedAtOnce is how much of what is behind a reader is given back together; workers may still read the last of it.
const mappedAtOnce = 32 << 20

// forget lets go of the pages of a mapped text that lie well before a place. Who still reads there gets them again.
func forget(text []byte, before int64) {
	if before -= before % mappedAtOnce; before >= mappedAtOnce {
		_ = unix.Madvise(text[before-mappedAtOnce:before], unix.MADV_DONTNEED) // it is advice
	}
}

// guarded does what reads the text of a source.
func (s *LoadSource) guarded(do func() error) (err error) {
	if s.mapped == nil {
		return do()
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		reason := recover()
		if reason == nil {
			return
		}
		at, isFault := reason.(interface{ Addr() uintptr })
		from := uintptr(unsafe.Pointer(unsafe.SliceData(s.mapped)))
		if !isFault || at.Addr() < from || at.Addr() >= from+uintptr(len(s.mapped)) {
			panic(reason)
		}
		err = fault.New(fault.Invalid, "the file became shorter, or can't be read, while it was loaded")
	}()
	return do()
}
