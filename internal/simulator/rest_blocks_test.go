// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"fmt"
	"net/http"
	"testing"
)

func TestBlocks(t *testing.T) {
	s := startStatic(t, Options{Nodes: 1})
	latest := getJSON[blockList](t, s, "/api/v1/blocks?limit=1&order=desc").Blocks[0]
	if latest.Number != blockNumberAt(fixedNow())-1 || latest.Timestamp.To == nil {
		t.Fatalf("latest block is %+v", latest)
	}

	added := s.AddBlock()
	if added.Number != latest.Number+1 || added.PreviousHash != latest.Hash {
		t.Errorf("block %d (after %s) was added to %d (%s)", added.Number, added.PreviousHash, latest.Number, latest.Hash)
	}
	newer := getJSON[blockList](t, s, "/api/v1/blocks?timestamp=gt:"+*latest.Timestamp.To)
	if len(newer.Blocks) != 1 || newer.Blocks[0].Number != added.Number {
		t.Errorf("after the latest end: got %+v", newer.Blocks)
	}

	oldest := added.Number - genesisBlocks
	window := fmt.Sprintf("/api/v1/blocks?order=asc&limit=2&block.number=gte:%d&block.number=lt:%d", oldest, oldest+3)
	page := getJSON[blockList](t, s, window)
	if len(page.Blocks) != 2 || page.Blocks[0].Number != oldest || page.Links.Next == nil {
		t.Fatalf("first page: got %+v", page)
	}
	rest := getJSON[blockList](t, s, *page.Links.Next)
	if len(rest.Blocks) != 1 || rest.Blocks[0].Number != oldest+2 || rest.Links.Next != nil {
		t.Errorf("second page: got %+v", rest)
	}

	if got := len(getJSON[blockList](t, s, "/api/v1/blocks?limit=1000").Blocks); got != 100 {
		t.Errorf("got %d blocks, want the cap of 100", got)
	}
	for _, query := range []string{"block.number=x", "timestamp=now", "limit=-1", "order=up"} {
		if got := send(t, s, http.MethodGet, "/api/v1/blocks?"+query, nil); got.status != 400 {
			t.Errorf("%q: got %d, want 400", query, got.status)
		}
	}
}
