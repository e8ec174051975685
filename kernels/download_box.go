// SPDX-License-Identifier: GPL-2.0-only

package kernels

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// downloadBoxes is where a folder is made for a download: on disk, and anybody
// may go there.
const downloadBoxes = "/var/tmp"

// downloadBoxName is the pattern of its name.
const downloadBoxName = "skleak-download-*"

// boxUnlocked is how old a box without a lock must be to be nobody's: a younger
// one may have been made this moment.
const boxUnlocked = time.Minute

// downloadBox is a folder that apt's user can write to. It is locked while it is
// in use, and the kernel gives that up however the process ends.
type downloadBox struct{ *os.File }

func makeDownloadBox(owner string) (downloadBox, error) {
	who, err := user.Lookup(owner)
	if err != nil {
		return downloadBox{}, err
	}
	uid, err := strconv.Atoi(who.Uid)
	if err != nil {
		return downloadBox{}, err
	}
	dir, err := os.MkdirTemp(downloadBoxes, downloadBoxName)
	if err != nil {
		return downloadBox{}, err
	}
	box, err := lockDownloadBox(dir)
	if err != nil {
		return downloadBox{}, errors.Join(err, os.RemoveAll(dir))
	}
	if err := os.Chown(dir, uid, -1); err != nil {
		return downloadBox{}, errors.Join(err, box.Close())
	}
	return box, nil
}

func lockDownloadBox(dir string) (downloadBox, error) {
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return downloadBox{}, fmt.Errorf("open %s: %w", dir, err)
	}
	f := os.NewFile(uintptr(fd), dir)
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return downloadBox{}, errors.Join(fmt.Errorf("lock %s: %w", dir, err), f.Close())
	}
	return downloadBox{f}, nil
}

// Close removes the folder with all that is in it.
func (b downloadBox) Close() error {
	return errors.Join(os.RemoveAll(b.Name()), b.File.Close())
}

// sweepDownloadBoxes removes the folders of killed fetches from where they are
// made. Those that this user may not open are not its own, and stay.
func sweepDownloadBoxes(folder string, now time.Time) error {
	found, err := filepath.Glob(filepath.Join(folder, downloadBoxName))
	if err != nil {
		return err
	}
	for _, dir := range found {
		st, err := os.Lstat(dir)
		if err != nil || now.Sub(st.ModTime()) < boxUnlocked {
			continue
		}
		box, err := lockDownloadBox(dir)
		if err != nil {
			continue
		}
		if err := box.Close(); err != nil {
			return fmt.Errorf("remove what a killed download left: %w", err)
		}
	}
	return nil
}
