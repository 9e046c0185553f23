// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

const browserDeadline = 2 * time.Minute

// screenshot lets a browser draw the page and keeps its picture small.
func screenshot(ctx context.Context, chromium, page, target string, height int) (err error) {
	directory, err := os.MkdirTemp("", "hedera-preview-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(directory)) }()
	absolute, err := filepath.Abs(page)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, browserDeadline)
	defer cancel()
	picture := filepath.Join(directory, "page.png")
	browser := exec.CommandContext(ctx, chromium, //nolint:gosec // the caller's own program
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync",
		"--hide-scrollbars", "--force-device-scale-factor=1", "--user-data-dir="+filepath.Join(directory, "profile"),
		fmt.Sprintf("--window-size=%d,%d", pageWidth, height),
		"--screenshot="+picture, "file://"+absolute)
	if output, err := browser.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", chromium, err, output)
	}
	content, err := os.ReadFile(picture) //nolint:gosec // the picture just made
	if err != nil {
		return err
	}
	return writeSmall(content, target)
}

// writeSmall keeps the 256 most frequent colours.
func writeSmall(content []byte, target string) error {
	full, err := png.Decode(bytes.NewReader(content))
	if err != nil {
		return err
	}
	bounds := full.Bounds()
	small := image.NewPaletted(bounds, frequent(full))
	nearest := map[color.Color]uint8{}
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			c := full.At(x, y)
			index, is := nearest[c]
			if !is {
				index = uint8(small.Palette.Index(c)) //nolint:gosec // of 256 at most
				nearest[c] = index
			}
			small.SetColorIndex(x, y, index)
		}
	}
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&out, small); err != nil {
		return err
	}
	return os.WriteFile(target, out.Bytes(), 0o644) //nolint:gosec // no secrets in it
}

func frequent(full image.Image) color.Palette {
	counts := map[color.Color]int{}
	bounds := full.Bounds()
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			counts[full.At(x, y)]++
		}
	}
	colours := slices.SortedFunc(maps.Keys(counts), func(a, b color.Color) int { return cmp.Compare(counts[b], counts[a]) })
	return colours[:min(256, len(colours))]
}
