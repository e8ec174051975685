// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/sync/errgroup"

	"skleak/record"
)

// The names within a bundle that a reader of it relies on.
const (
	// BundleFolder is the folder that all of a bundle is in.
	BundleFolder = "skleak"
	// BundleRun is the folder of the saved run below it.
	BundleRun = "run"
	// BundleSums has the SHA-256 of every other file, as sha256sum(1) writes it.
	BundleSums = "SHA256SUMS"
)

// File is a file of a saved run, by its name below the run's folder.
type File struct {
	Name string
	Data []byte
}

// maxScripts bounds the reproducers of a bundle.
const maxScripts = 20

// writeBundle writes a tar.zst of the saved run and of every other format.
func writeBundle(w io.Writer, rep record.Report, o Options) (err error) {
	z, err := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		return fmt.Errorf("write the bundle: %w", err)
	}
	b := &bundle{tar: tar.NewWriter(z)}
	defer func() {
		if err = errors.Join(err, b.tar.Close(), z.Close()); err != nil {
			err = fmt.Errorf("write the bundle: %w", err)
		}
	}()
	if err := b.add("README", []byte(bundleReadme(rep))); err != nil {
		return err
	}
	if o.Evidence.Saved != nil {
		if err := o.Evidence.Saved(func(f File) error { return b.add(BundleRun+"/"+f.Name, f.Data) }); err != nil {
			return err
		}
	}
	o.Width, o.Colour = bundleWidth, false
	if err := b.formats(rep, o); err != nil {
		return err
	}
	for i, c := range mailCases(rep, o.Evidence.Chosen) {
		if script := o.Evidence.script(c.scenario); script != "" && i < maxScripts {
			if err := b.add("reproducer/"+fileName(c.scenario)+".sh", []byte(script)); err != nil {
				return err
			}
		}
	}
	return b.write(BundleSums, []byte(b.sums.String()))
}

// bundleWidth is that of the table in a bundle, in columns.
const bundleWidth = 100

// formats adds the report in each format. What only writes is done at once; what
// is replaced is so in one order, for the same run has to give the same bundle.
func (b *bundle) formats(rep record.Report, o Options) error {
	all := slices.DeleteFunc(Formats(), func(f Format) bool { return f.File == "" })
	texts := make([]bytes.Buffer, len(all))
	var group errgroup.Group
	for i, f := range all {
		if !f.Redacted {
			group.Go(func() error { return f.Write(&texts[i], rep, o) })
		}
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i, f := range all {
		if f.Redacted {
			if err := f.Write(&texts[i], rep, o); err != nil {
				return fmt.Errorf("%s: %w", f.Name, err)
			}
		}
		data := texts[i].Bytes()
		if !f.Binary {
			data = harmlessText(o.Evidence.Redact.Text(texts[i].String()))
		}
		if err := b.add(f.File, data); err != nil {
			return err
		}
	}
	return nil
}

// harmlessText is a text as a file has it.
func harmlessText(s string) []byte {
	var out bytes.Buffer
	safe := NewHarmlessWriter(&out, false)
	// A Buffer takes everything.
	_, _ = io.WriteString(safe, s)
	_ = safe.Flush()
	return out.Bytes()
}

// fileName is a scenario's name as one of a file.
func fileName(scenario string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == '.' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '-'
	}, strings.TrimLeft(scenario, "."))
}

func bundleReadme(rep record.Report) string {
	return fmt.Sprintf(`A run of skleak, and every way to read it. %s

  %s/           the traces; skleak judge BUNDLE judges them again
  report.txt     the report for people; .json, .ktap, .xml, .md for programs
  report.html    one page, with charts; charts.svg has these alone
  mail.txt       a mail to netdev, to be read by a person before it is sent
  packets.pcapng some of the packets, each with the charge after it
  reproducer/    shell scripts that show what is not as expected
  %s     sha256sum --check %s
`, harmless(summary(rep), false), BundleRun, BundleSums, BundleSums)
}

// bundle is one being written.
type bundle struct {
	tar  *tar.Writer
	sums strings.Builder
}

// add writes a file, and notes its checksum.
func (b *bundle) add(name string, data []byte) error {
	fmt.Fprintf(&b.sums, "%x  %s\n", sha256.Sum256(data), name)
	return b.write(name, data)
}

func (b *bundle) write(name string, data []byte) error {
	mode := int64(0o644)
	if strings.HasSuffix(name, ".sh") {
		mode = 0o755
	}
	// The same run gives the same bundle; no host has a say in it. 1980 is the
	// oldest time that every unpacker believes.
	head := &tar.Header{
		Typeflag: tar.TypeReg, Name: BundleFolder + "/" + name, Mode: mode, Size: int64(len(data)), ModTime: time.Unix(315532800, 0),
	}
	if err := b.tar.WriteHeader(head); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if _, err := b.tar.Write(data); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
