// SPDX-License-Identifier: GPL-2.0-only

package kernels

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
)

// EachTarMember calls each with every member of an archive and what is in it,
// until one fails or ctx ends. The archive is read to its end: dpkg-deb pads it,
// and what is left unread would break its pipe. What names the archive in errors.
func EachTarMember(ctx context.Context, r io.Reader, what string, each func(*tar.Header, io.Reader) error) error {
	members := tar.NewReader(r)
	for {
		h, err := members.Next()
		if errors.Is(err, io.EOF) {
			_, err = io.Copy(io.Discard, r)
			return err
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", what, err)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := each(h, members); err != nil {
			return err
		}
	}
}
