// SPDX-License-Identifier: GPL-2.0-only

package kernels

import (
	"bytes"
	"compress/bzip2"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	xz "github.com/mikelolasagasti/xz"
	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz/lzma"
)

// dictMax bounds the memory of a decompressor in bytes. The kernel's own xz
// uses 32 MiB (scripts/xz_wrap.sh), its zstd a window of up to 128 MiB.
const dictMax = 128 << 20

// codec is one compression the kernel's build can use for its image or its
// modules.
type codec struct {
	name  string
	magic []byte
	open  func(io.Reader) (io.Reader, func(), error)
}

func codecs() []codec {
	return []codec{
		{"xz", []byte{0xfd, '7', 'z', 'X', 'Z', 0}, openXz},
		{"zstd", []byte{0x28, 0xb5, 0x2f, 0xfd}, openZstd},
		{"gzip", []byte{0x1f, 0x8b}, openGzip},
		{"bzip2", []byte("BZh"), openBzip2},
		{"lz4", []byte{0x02, 0x21, 0x4c, 0x18}, openLz4},
		{"lzma", []byte{0x5d, 0, 0}, openLzma},
	}
}

func openXz(r io.Reader) (io.Reader, func(), error) {
	// NB: not ulikunitz/xz: the image is packed with the x86 filter, which that
	// does not have, and it takes four times as long.
	z, err := xz.NewReader(r, dictMax)
	return z, func() {}, err
}

func openZstd(r io.Reader) (io.Reader, func(), error) {
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(dictMax))
	if err != nil {
		return nil, nil, err
	}
	return z, z.Close, nil
}

func openGzip(r io.Reader) (io.Reader, func(), error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, nil, err
	}
	z.Multistream(false)
	return z, func() {}, nil
}

func openBzip2(r io.Reader) (io.Reader, func(), error) {
	return bzip2.NewReader(r), func() {}, nil
}

func openLz4(r io.Reader) (io.Reader, func(), error) {
	return lz4.NewReader(r), func() {}, nil
}

func openLzma(r io.Reader) (io.Reader, func(), error) {
	header := make([]byte, lzma.HeaderLen)
	if _, err := io.ReadFull(r, header); err != nil {
		return nil, nil, err
	}
	if dict := binary.LittleEndian.Uint32(header[1:]); dict > dictMax {
		return nil, nil, fmt.Errorf("asks for a dictionary of %d bytes; at most %d are given", dict, dictMax)
	}
	z, err := lzma.NewReader(io.MultiReader(bytes.NewReader(header), r))
	return z, func() {}, err
}

func codecOf(data []byte) (codec, bool) {
	for _, c := range codecs() {
		if bytes.HasPrefix(data, c.magic) {
			return c, true
		}
	}
	return codec{}, false
}

// unpack decompresses data into at most limit bytes; size is a hint, 0 for
// none. More than limit bytes is an error.
func (c codec) unpack(data []byte, size, limit int64) ([]byte, error) {
	r, done, err := c.open(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	defer done()
	var out bytes.Buffer
	// NB: a hint is not believed beyond what such data can grow to at once, so
	// that a lying header costs no memory.
	out.Grow(int(min(size, limit, int64(len(data))*16)) + bytes.MinRead)
	n, err := io.Copy(&out, io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	if n > limit {
		return nil, fmt.Errorf("%s: unpacks to more than %d bytes", c.name, limit)
	}
	if n == 0 {
		return nil, errors.New(c.name + ": unpacks to nothing")
	}
	return out.Bytes(), nil
}
