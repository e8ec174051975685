// SPDX-License-Identifier: GPL-2.0-only

package vm

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/cavaliergopher/cpio"
)

// mergedFolders are those at the top of a guest that are links into usr/, as
// Debian has them since bookworm: packages put files below either name.
func mergedFolders() []string { return []string{"bin", "sbin", "lib", "lib64"} }

// merged is a path in the guest without its first slash, by where its top folder
// really is.
func merged(name string) string {
	name = strings.TrimPrefix(path.Clean("/"+name), "/")
	top, rest, below := strings.Cut(name, "/")
	if below && slices.Contains(mergedFolders(), top) {
		return path.Join("usr", top, rest)
	}
	return name
}

// accounts are users that packages make when they are installed, which in a
// guest nobody does: those of Debian's frr, bird2 and tcpdump, with their groups.
func accounts() (users, groups string) {
	groups = "root:x:0:\ndaemon:x:1:\nadm:x:4:\ntty:x:5:\nnogroup:x:65534:\n"
	users = "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1::/:/bin/false\nnobody:x:65534:65534::/nonexistent:/bin/false\n"
	for i, name := range []string{"frr", "bird", "tcpdump"} {
		id := 990 - i
		users += fmt.Sprintf("%s:x:%d:%d::/nonexistent:/bin/false\n", name, id, id)
		groups += fmt.Sprintf("%s:x:%d:\n", name, id)
	}
	return users, groups + "frrvty:x:980:frr\n"
}

// addUserland adds the packages' files, and what they take for granted.
func (i initramfs) addUserland(a *archive) (err error) {
	if i.userland == "" {
		return nil
	}
	f, err := os.Open(i.userland)
	if err != nil {
		return fmt.Errorf("add packages to the initramfs: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	members := tar.NewReader(f)
	for {
		h, err := members.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = a.member(h, members)
		}
		if err != nil {
			return fmt.Errorf("add packages to the initramfs: %w", err)
		}
	}
	if err := a.symlink("/var/run", "/run"); err != nil {
		return err
	}
	users, groups := accounts()
	for name, text := range map[string]string{
		"/etc/passwd": users, "/etc/group": groups, "/etc/hosts": "127.0.0.1 localhost\n",
		"/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\nservices: files\nprotocols: files\n",
	} {
		if err := a.bytes(name, 0o644, []byte(text)); err != nil {
			return err
		}
	}
	return nil
}

// member adds one member of a tar file.
func (a *archive) member(h *tar.Header, r io.Reader) error {
	mode := cpio.FileMode(h.Mode & 0o7777)
	switch h.Typeflag {
	case tar.TypeReg:
		if err := a.header(h.Name, cpio.TypeReg|mode, h.Size, 1); err != nil {
			return err
		}
		_, err := io.CopyN(a.w, r, h.Size)
		return err
	case tar.TypeSymlink:
		if slices.Contains(mergedFolders(), h.Name) {
			return nil
		}
		return a.symlink(h.Name, h.Linkname)
	case tar.TypeDir:
		if name := merged(h.Name); !a.dirs[name] && !slices.Contains(mergedFolders(), name) {
			a.dirs[name] = true
			return a.header(name, cpio.TypeDir|mode, 0, 2)
		}
	}
	return nil
}
