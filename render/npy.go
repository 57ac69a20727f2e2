package render

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"swath/fault"
)

// EncodeNPY writes planes as values: one array of numpy (NPY 1.0, float32, planes × rows × columns), with one plane more at
// the end as TiTiler has it: the mask, 255 where all planes have a value and 0 elsewhere. NaN stays NaN.
func EncodeNPY(planes [][]float32, width, height int) ([]byte, error) {
	if err := checkSize(width, height); err != nil {
		return nil, err
	}
	if len(planes) == 0 {
		return nil, fault.New(fault.Invalid, "npy: no planes")
	}
	for _, plane := range planes {
		if len(plane) != width*height {
			return nil, fault.New(fault.Internal, "npy: a plane of %d values is not %d x %d", len(plane), width, height)
		}
	}
	const before = 10 // bytes before the description: magic, version, its length
	text := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d, %d), }", len(planes)+1, height, width)
	text += strings.Repeat(" ", 63-(before+len(text))%64) + "\n" // the values begin at a multiple of 64

	file := make([]byte, 0, before+len(text)+4*(len(planes)+1)*width*height)
	file = append(file, "\x93NUMPY\x01\x00"...)
	file = binary.LittleEndian.AppendUint16(file, uint16(len(text)))
	file = append(file, text...)
	for _, plane := range planes {
		for _, v := range plane {
			file = binary.LittleEndian.AppendUint32(file, math.Float32bits(v))
		}
	}
	for i := range width * height {
		mask := float32(0)
		if valued(planes, i) {
			mask = 255
		}
		file = binary.LittleEndian.AppendUint32(file, math.Float32bits(mask))
	}
	return file, nil
}
