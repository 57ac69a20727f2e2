package processes

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"swath/chains"
)

// Provenance says what a job was made of and by, as PROV-JSON (W3C member submission of 24 April 2013).
func (e *Engine) Provenance(ctx context.Context, id string) (json.RawMessage, error) {
	j, err := e.Job(ctx, id)
	if err != nil {
		return nil, err
	}
	var rawInputs, rawResults []byte
	if err := e.pool.QueryRow(ctx, "select inputs, coalesce(results, '[]') from job where id = $1", id).Scan(&rawInputs, &rawResults); err != nil {
		return nil, jobsErr("provenance", err)
	}
	t := task{lease: lease{id: id}, inputs: map[string]bound{}}
	var results []Result
	if err := json.Unmarshal(rawInputs, &t.inputs); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(rawResults, &results); err != nil {
		return nil, err
	}
	if t.chain, _, err = e.pinned(ctx, j.Process, j.Version); err != nil { // it is not run here any more: what was given is told without its order and defaults
		for name, b := range t.inputs {
			t.chain.Inputs = append(t.chain.Inputs, chains.Field{Name: name, Many: b.Many})
		}
	}
	return json.Marshal(document(j, &t, results, e.cfg.Software))
}

// statements are those of one kind, by their names.
type statements map[string]map[string]any

func (s statements) add(prefix string, what map[string]any) {
	s[fmt.Sprintf("_:%s%d", prefix, len(s)+1)] = what
}

// document makes the PROV document of a job.
func document(j Job, t *task, results []Result, software string) map[string]any {
	activity := "job:" + j.ID
	about := map[string]any{"prov:label": j.Process, "swath:process": j.Process, "swath:version": j.Version, "swath:status": j.Status, "swath:parameters": t.parameters()}
	for name, at := range map[string]*time.Time{"prov:startTime": j.Started, "prov:endTime": j.Finished} {
		if at != nil {
			about[name] = at.UTC().Format(time.RFC3339Nano)
		}
	}
	people := statements{"swath:software": {"prov:type": "prov:SoftwareAgent", "prov:label": software}}
	entities, used, made, derived, with, behalf := statements{}, statements{}, statements{}, statements{}, statements{}, statements{}
	with.add("a", map[string]any{"prov:activity": activity, "prov:agent": "swath:software"})
	if j.Owner != "" {
		people["account:"+j.Owner] = map[string]any{"prov:type": "prov:Person"}
		with.add("a", map[string]any{"prov:activity": activity, "prov:agent": "account:" + j.Owner})
		behalf.add("b", map[string]any{"prov:delegate": "swath:software", "prov:responsible": "account:" + j.Owner, "prov:activity": activity})
	}
	for _, f := range t.chain.Inputs {
		for i, s := range t.inputs[f.Name].Sources {
			name, what := entityOf(j.ID, f.Name, i, s)
			if name == "" {
				continue
			}
			entities[name] = what
			used.add("u", map[string]any{"prov:activity": activity, "prov:entity": name, "prov:role": f.Name})
			for _, p := range s.Items {
				item, what := entityOf(j.ID, f.Name, i, source{Item: &p})
				entities[item] = what
				derived.add("d", map[string]any{"prov:generatedEntity": name, "prov:usedEntity": item})
			}
		}
	}
	for _, r := range results {
		for i, name := range outputNames(j.ID, r) {
			what := map[string]any{"prov:type": "prov:Entity", "swath:output": r.Name}
			if len(r.Parts) > 0 && r.Parts[i].Checksum != "" {
				what["swath:checksum"], what["swath:bytes"] = r.Parts[i].Checksum, r.Parts[i].Bytes
			}
			entities[name] = what
			made.add("g", map[string]any{"prov:entity": name, "prov:activity": activity})
			for _, u := range used {
				derived.add("d", map[string]any{"prov:generatedEntity": name, "prov:usedEntity": u["prov:entity"], "prov:activity": activity})
			}
		}
	}
	all := map[string]any{"prefix": map[string]string{"prov": "http://www.w3.org/ns/prov#", "swath": "urn:swath:", "job": "urn:swath:job:", "item": "urn:swath:item:",
		"file": "urn:swath:file:", "account": "urn:swath:account:"}, "activity": statements{activity: about}}
	for name, of := range map[string]statements{"agent": people, "entity": entities, "used": used, "wasGeneratedBy": made, "wasDerivedFrom": derived,
		"wasAssociatedWith": with, "actedOnBehalfOf": behalf} {
		if len(of) > 0 {
			all[name] = of
		}
	}
	return all
}

// entityOf describes an input that is more than a parameter.
func entityOf(job, input string, i int, s source) (name string, what map[string]any) {
	switch {
	case s.Item != nil:
		sums := map[string]string{}
		for _, f := range s.Item.Files {
			if f.Checksum != "" {
				sums[f.Asset] = f.Checksum
			}
		}
		return "item:" + s.Item.Collection + "/" + s.Item.ID, map[string]any{"prov:type": "prov:Entity", "swath:updated": s.Item.Updated.UTC().Format(time.RFC3339Nano), "swath:checksums": sums}
	case s.Object != nil:
		return "file:" + s.Object.Object, map[string]any{"prov:type": "prov:Entity", "swath:checksum": s.Object.Checksum}
	case s.Href != "":
		return fmt.Sprintf("file:%s/inputs/%s/%d", job, input, i), map[string]any{"prov:type": "prov:Entity", "prov:location": s.Href}
	case s.Folder != "":
		return "swath:folder/" + s.Folder, map[string]any{"prov:type": "prov:Collection"}
	case s.Data != nil:
		return fmt.Sprintf("file:%s/inputs/%s/%d", job, input, i), map[string]any{"prov:type": "prov:Entity", "swath:bytes": len(s.Data)}
	}
	return "", nil
}

// outputNames names the parts of a result.
func outputNames(job string, r Result) (names []string) {
	if r.Parts == nil {
		return []string{"file:" + job + "/outputs/" + r.Name}
	}
	for _, p := range r.Parts {
		if p.Item != "" {
			names = append(names, "item:"+p.Collection+"/"+p.Item)
		} else {
			names = append(names, "file:"+p.Object)
		}
	}
	return names
}
