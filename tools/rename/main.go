// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command rename gives the project its home: it rewrites module paths, imports,
// and what links to the repository or names it. What is generated has to be
// generated after it: make rename does both.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	root := flag.String("root", ".", "the sources' directory")
	flag.Parse()
	to, err := parse(flag.Arg(0))
	if err != nil {
		fmt.Fprintf(os.Stderr, "rename: %s\n", err)
		os.Exit(2)
	}
	changed, err := rename(os.DirFS(*root), to)
	if err != nil {
		fmt.Fprintf(os.Stderr, "rename: %s; nothing has been changed\n", err)
		os.Exit(1)
	}
	if err := write(*root, changed); err != nil {
		fmt.Fprintf(os.Stderr, "rename: %s; some files have been changed\n", err)
		os.Exit(1)
	}
	fmt.Printf("rename: %s, %d files changed\n", to.module(), len(changed))
}
