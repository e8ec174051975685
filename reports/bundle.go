package reports

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

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
	for _, f := range Formats() {
		if f.File == "" {
			continue
		}
		data, err := f.bytes(rep, o)
		if err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
		if err := b.add(f.File, data); err != nil {
			return err
		}
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

// bytes is the whole report in a format, as a file has it.
func (f Format) bytes(rep record.Report, o Options) ([]byte, error) {
	var out bytes.Buffer
	if f.Binary {
		err := f.Print(&out, rep, o)
		return out.Bytes(), err
	}
	safe := NewHarmlessWriter(&out, false)
	err := f.Print(safe, rep, o)
	return out.Bytes(), errors.Join(err, safe.Flush())
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
