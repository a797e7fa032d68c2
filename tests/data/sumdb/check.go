// Checks a log with Go's own code for checksum databases, which shares nothing with ours; and signs a note of its own.
//
//	check FOLDER VKEY COUNT [SIGNING-KEY]
//
// It opens FOLDER/checkpoint with VKEY, reads the tree from FOLDER/tile, checks COUNT proofs of inclusion and of
// consistency made by Go, and those made by us, from FOLDER/proofs: lines of "I SIZE HASH..." and "C OLD SIZE HASH...".
// With a signing key it prints the checkpoint's text, signed again by Go.
package main

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type folder string

func (folder) Height() int                          { return 8 }
func (folder) SaveTiles(_ []tlog.Tile, _ [][]byte) {}
func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(filepath.Join(string(f), path))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func number(text string) int64 {
	value, err := strconv.ParseInt(text, 10, 64)
	must(err)
	return value
}

func hashes(words []string) []tlog.Hash {
	var all []tlog.Hash
	for _, word := range words {
		var one tlog.Hash
		data, err := base64.StdEncoding.DecodeString(word)
		must(err)
		copy(one[:], data)
		all = append(all, one)
	}
	return all
}

func main() {
	place, count := folder(os.Args[1]), int(number(os.Args[3]))
	text, err := os.ReadFile(filepath.Join(os.Args[1], "checkpoint"))
	must(err)
	verifier, err := note.NewVerifier(os.Args[2])
	must(err)
	opened, err := note.Open(text, note.VerifierList(verifier))
	must(err)
	lines := strings.Split(opened.Text, "\n")
	size, root := number(lines[1]), hashes(lines[2:3])[0]
	reader := tlog.TileHashReader(tlog.Tree{N: size, Hash: root}, place)

	for done := 0; done < count; done++ {
		index, old := rand.Int63n(size), 1+rand.Int63n(size)
		leaf, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, index)})
		must(err)
		record, err := tlog.ProveRecord(size, index, reader)
		must(err)
		must(tlog.CheckRecord(record, size, root, index, leaf[0]))
		oldRoot, err := tlog.TreeHash(old, reader)
		must(err)
		tree, err := tlog.ProveTree(size, old, reader)
		must(err)
		must(tlog.CheckTree(tree, size, root, old, oldRoot))
	}

	file, err := os.Open(filepath.Join(os.Args[1], "proofs"))
	must(err)
	checked := 0
	for scanner := bufio.NewScanner(file); scanner.Scan(); checked++ {
		words := strings.Fields(scanner.Text())
		first, at := number(words[1]), number(words[2])
		atRoot, err := tlog.TreeHash(at, reader)
		must(err)
		if words[0] == "I" {
			leaf, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, first)})
			must(err)
			must(tlog.CheckRecord(tlog.RecordProof(hashes(words[3:])), at, atRoot, first, leaf[0]))
		} else {
			firstRoot, err := tlog.TreeHash(first, reader)
			must(err)
			must(tlog.CheckTree(tlog.TreeProof(hashes(words[3:])), at, atRoot, first, firstRoot))
		}
	}
	fmt.Println(size, checked)

	if len(os.Args) > 4 {
		signer, err := note.NewSigner(os.Args[4])
		must(err)
		signed, err := note.Sign(&note.Note{Text: opened.Text}, signer)
		must(err)
		fmt.Print(string(signed))
	}
}
