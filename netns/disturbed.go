// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"errors"
	"fmt"
	"strings"

	"github.com/vishvananda/netlink"
)

// ErrDisturbed says that somebody else has changed the sandbox, so that what was
// measured there is no finding about the kernel.
var ErrDisturbed = errors.New("the sandbox was disturbed from outside")

// Undisturbed looks whether every link that Build made is still there, by its
// ifindex, which is never given out again while the namespace lives
// (net/core/dev.c, dev_new_index). It is to be asked before the first step of
// the ladder; a link that is gone then is ErrDisturbed.
func (w *World) Undisturbed() error {
	var gone []string
	for _, lk := range w.links {
		if lk.index == 0 {
			continue
		}
		_, err := lk.space.nl.LinkByIndex(lk.index)
		var none netlink.LinkNotFoundError
		switch {
		case errors.As(err, &none):
			gone = append(gone, lk.Name)
		case err != nil:
			return fmt.Errorf("look whether link %s is still there: %w", lk.Name, err)
		}
	}
	if len(gone) > 0 {
		return fmt.Errorf("%w: links that skleak has not deleted are gone: %s; see that nothing else works in its namespaces, and run it again", ErrDisturbed, strings.Join(gone, ", "))
	}
	return nil
}
