// SPDX-License-Identifier: GPL-2.0-only

package meter

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/prometheus/procfs"
)

// skbCache is where the kernel takes the heads of skbs from that a raw or UDP
// socket sends (net/core/skbuff.c, skb_init).
const skbCache = "skbuff_head_cache"

// CountSkbs is how many skbs live on the whole machine, and what counted them.
// Slabs that a CPU has in hand would count as full; they are given back first
// where the kernel can be asked to (mm/slub.c, shrink_store). What is left is
// up to 64 skbs for each CPU that NAPI keeps for its next packets
// (net/core/skbuff.c, NAPI_SKB_CACHE_SIZE). On a machine that does other things
// the difference of two counts means nothing. It needs root of the machine.
func CountSkbs() (n int64, by string, err error) {
	const slab = "/sys/kernel/slab/" + skbCache
	errShrink := os.WriteFile(slab+"/shrink", []byte("1"), 0)
	n, errSys := slabObjects(slab + "/objects")
	if errShrink == nil && errSys == nil {
		return n, "/sys/kernel/slab", nil
	}
	n, errInfo := slabinfoObjects()
	if errInfo == nil {
		return n, "slabinfo", nil
	}
	return 0, "", fmt.Errorf("count skbs: %w", errors.Join(errShrink, errSys, errInfo))
}

func slabObjects(path string) (int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	n, err := ParseSlabObjects(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return 0, fmt.Errorf("%s: %w", path, err)
	}
	return n, nil
}

// slabinfoObjects is the same of /proc/slabinfo (slabinfo(5)).
func slabinfoObjects() (int64, error) {
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return 0, err
	}
	info, err := fs.SlabInfo()
	if err != nil {
		return 0, err
	}
	for _, slab := range info.Slabs {
		if slab.Name == skbCache {
			return slab.ObjActive, nil
		}
	}
	return 0, fmt.Errorf("/proc/slabinfo has no line for %s", skbCache)
}

// ParseSlabObjects reads /sys/kernel/slab/*/objects: a number, then a count per
// NUMA node.
func ParseSlabObjects(r io.Reader) (int64, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxProcLine))
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
	n, err := strconv.ParseUint(first, 10, 62)
	if err != nil {
		return 0, fmt.Errorf("parse a count of objects: %w", err)
	}
	return int64(n), nil
}
