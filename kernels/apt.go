// SPDX-License-Identifier: GPL-2.0-only

package kernels

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/renameio/v2"
	"golang.org/x/sys/unix"
)

// apt runs apt under a private state in dir, beside the machine's own.
type apt struct {
	dir string
	// user is whom apt downloads as, "" for the one who runs it. The private state
	// may lie where that user cannot go (a cache of root's), so apt and what it
	// starts have its folder open.
	user string
}

// downloader is the user that Debian has for downloads (apt.conf(5),
// APT::Sandbox::User): what speaks to a mirror is not to be root.
const downloader = "_apt"

// newApt is apt as the current user can run it.
func newApt(dir string) apt {
	if _, err := user.Lookup(downloader); err != nil || os.Geteuid() != 0 {
		return apt{dir: dir}
	}
	return apt{dir: dir, user: downloader}
}

// openState is where apt finds the folder of its private state, open.
const openState = "/proc/self/fd/3"

// state is the folder of the private state as apt is told of it.
func (a apt) state() string {
	if a.user != "" {
		return openState
	}
	return a.dir
}

// ErrNoArchive says that the machine's apt configuration has no Debian archive.
var ErrNoArchive = errors.New("apt's configuration on this machine has no Debian archive")

// config is private: own state, cache and sources. Whatever the machine's
// configuration allows, unsigned lists are refused. The hooks that clean up
// after the machine's own updates are taken out.
func (a apt) config() string {
	lines := []string{
		`#clear APT::Update;`,
		`#clear DPkg::Post-Invoke;`,
		`APT::Architecture "amd64";`,
		`#clear APT::Architectures;`,
		`APT::Architectures { "amd64"; };`,
		`APT::Sandbox::User "` + a.user + `";`,
		// Else apt closes it in what it starts.
		`APT::Keep-Fds { "3"; };`,
		`APT::Get::AllowUnauthenticated "false";`,
		`Acquire::AllowInsecureRepositories "false";`,
		`Acquire::AllowWeakRepositories "false";`,
		`Acquire::AllowDowngradeToInsecureRepositories "false";`,
		`Acquire::Languages "none";`,
		`Acquire::Retries "2";`,
		`Acquire::http::Timeout "30";`,
		`Acquire::https::Timeout "30";`,
		`Dir::State "` + filepath.Join(a.state(), "state") + `";`,
		`Dir::State::status "/dev/null";`,
		`Dir::Cache "` + filepath.Join(a.state(), "cache") + `";`,
		`Dir::Cache::pkgcache "pkgcache.bin";`,
		`Dir::Etc::sourcelist "/dev/null";`,
		`Dir::Etc::sourceparts "` + filepath.Join(a.state(), "sources") + `";`,
		`Dir::Etc::preferences "/dev/null";`,
		`Dir::Etc::preferencesparts "/dev/null";`,
	}
	return strings.Join(lines, "\n") + "\n"
}

// run runs one of apt's programs with the private configuration, in the folder
// in, and gives what it said.
func (a apt) run(ctx context.Context, in string, out io.Writer, program string, args ...string) (said string, err error) {
	argv := append([]string{program, "--config-file", filepath.Join(a.dir, "apt.conf")}, args...)
	state, err := os.Open(a.dir)
	if err != nil {
		return "", fmt.Errorf("open apt's private state: %w", err)
	}
	defer func() { err = errors.Join(err, state.Close()) }()
	return command{argv: argv, dir: in, out: out, files: []*os.File{state}}.run(ctx)
}

// machineSources reads the machine's apt sources, both formats.
func machineSources(ctx context.Context) ([]source, error) {
	var out bytes.Buffer
	_, err := command{
		argv: []string{"apt-config", "shell", "LIST", "Dir::Etc::sourcelist/f", "PARTS", "Dir::Etc::sourceparts/d"},
		out:  &out,
	}.run(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask apt where its sources are: %w", err)
	}
	var files []string
	for line := range strings.Lines(out.String()) {
		_, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		value = strings.Trim(value, "'")
		if !strings.HasSuffix(value, "/") {
			files = append(files, value)
			continue
		}
		parts, err := filepath.Glob(value + "*")
		if err != nil {
			return nil, err
		}
		files = append(files, parts...)
	}
	return readSourceFiles(files)
}

func readSourceFiles(files []string) ([]source, error) {
	var all []source
	for _, file := range files {
		ext := filepath.Ext(file)
		if ext != ".list" && ext != ".sources" {
			continue
		}
		data, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read apt's sources: %w", err)
		}
		if ext == ".list" {
			all = append(all, parseList(data)...)
			continue
		}
		found, err := parseSources(data)
		if err != nil {
			return nil, fmt.Errorf("read apt's sources %s: %w", file, err)
		}
		all = append(all, found...)
	}
	return all, nil
}

// prepare writes the private configuration and gives the suites in it.
func (a apt) prepare(found archives) ([]suite, error) {
	for _, dir := range []string{"state/lists/partial", "cache/archives/partial", "sources"} {
		if err := os.MkdirAll(filepath.Join(a.dir, dir), 0o755); err != nil {
			return nil, err
		}
	}
	suites := found.suites()
	files := map[string]string{"apt.conf": a.config(), "sources/skleak.sources": sourcesFile(suites)}
	for name, text := range files {
		if err := renameio.WriteFile(filepath.Join(a.dir, name), []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	return suites, nil
}

// update fetches the package lists. It gives the suites that are there, and a
// note for each that is not.
func (a apt) update(ctx context.Context, suites []suite) (served, notes []string, err error) {
	said, failure := a.run(ctx, "", nil, "apt-get", "update", "--quiet=2")
	var exit *CommandError
	// A suite that is missing makes apt-get fail; the others are there all the
	// same.
	if failure != nil && !errors.As(failure, &exit) {
		return nil, nil, failure
	}
	present, err := a.lists(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, s := range suites {
		if slices.Contains(present, s.Name) {
			served = append(served, s.Name)
			continue
		}
		notes = append(notes, fmt.Sprintf("suite %s is left out: %s", s.Name, reason(said, s.Name)))
	}
	if len(served) == 0 {
		return nil, nil, fmt.Errorf("apt got none of Debian's suites: %w", cmpErr(failure, errors.New(said)))
	}
	if failure == nil || len(notes) > 0 {
		return served, notes, nil
	}
	// All suites have lists, but apt-get failed: some are of an earlier day.
	return served, append(notes, "some lists are older: "+firstLine(said)), nil
}

func cmpErr(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// lists names the suites whose package list is on disk, with a signature that
// apt has checked.
func (a apt) lists(ctx context.Context) ([]string, error) {
	var out bytes.Buffer
	_, err := a.run(ctx, "", &out, "apt-get", "indextargets", "--format", "$(TRUSTED)|$(RELEASE)|$(FILENAME)", "Created-By: Packages")
	if err != nil {
		return nil, fmt.Errorf("ask apt which lists it has: %w", err)
	}
	var present []string
	for line := range strings.Lines(out.String()) {
		fields := strings.SplitN(strings.TrimSpace(line), "|", 3)
		if len(fields) < 3 || fields[0] != "yes" {
			continue
		}
		if _, err := os.Stat(strings.Replace(fields[2], a.state(), a.dir, 1)); err == nil {
			present = append(present, fields[1])
		}
	}
	return present, nil
}

// reason finds what apt said of a suite.
func reason(said, suite string) string {
	for line := range strings.Lines(said) {
		line = strings.TrimSpace(line)
		for _, around := range []string{" " + suite + " ", "/" + suite + "/"} {
			if strings.Contains(line, around) {
				return line
			}
		}
	}
	return "the mirror has no list of it"
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// show asks apt for everything it knows of kernel packages.
func (a apt) show(ctx context.Context) ([]stanza, error) {
	var out bytes.Buffer
	if _, err := a.run(ctx, "", &out, "apt-cache", "show", "--all-versions",
		"linux-image-*", "linux-binary-*", "linux-modules-*", "linux-base-*"); err != nil {
		return nil, fmt.Errorf("ask apt for kernel packages: %w", err)
	}
	var all []stanza
	err := readStanzas(&out, func(s stanza) { all = append(all, s) })
	return all, err
}

// download puts packages into dir and gives their files. apt checks each
// against the signed lists. Begun, if not nil, is told the folder that fills.
func (a apt) download(ctx context.Context, dir string, packages []Package, begun func(folder string)) (files []string, err error) {
	box := dir
	if a.user != "" {
		made, err := makeDownloadBox(a.user)
		if err != nil {
			return nil, fmt.Errorf("make a folder for apt to download to: %w", err)
		}
		defer func() { err = errors.Join(err, made.Close()) }()
		box = made.Name()
	}
	if begun != nil {
		begun(box)
	}
	args := []string{"download", "--quiet=2"}
	for _, p := range packages {
		args = append(args, p.Name+"="+p.Version)
	}
	if _, err := a.run(ctx, box, nil, "apt-get", args...); err != nil {
		return nil, fmt.Errorf("download with apt: %w", err)
	}
	for _, p := range packages {
		found, err := filepath.Glob(filepath.Join(box, p.Name+"_*.deb"))
		if err != nil {
			return nil, err
		}
		if len(found) != 1 {
			return nil, fmt.Errorf("download with apt: %d files for package %s", len(found), p.Name)
		}
		file := filepath.Join(dir, filepath.Base(found[0]))
		if err := moveFile(found[0], file); err != nil {
			return nil, fmt.Errorf("take what apt downloaded: %w", err)
		}
		files = append(files, file)
	}
	return files, nil
}

// moveFile moves a regular file, to another file system by a copy, and makes it
// the caller's.
func moveFile(from, to string) (err error) {
	if from == to {
		return nil
	}
	r, err := os.OpenFile(from, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	info, err := r.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no regular file", from)
	}
	w, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return errors.Join(err, w.Close(), os.Remove(from))
}
