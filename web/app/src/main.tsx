// The page is the map, or with ?view=statistics the dashboard; each brings its own code.
import { render } from "preact";
import "maplibre-gl/dist/maplibre-gl.css";
import "./style.css";

const root = document.getElementById("app")!;
if (new URLSearchParams(location.search).get("view") === "statistics") {
  void import("./statistics").then(({ Statistics }) => render(<Statistics />, root));
} else {
  void import("./explorer").then(({ Explorer }) => render(<Explorer />, root));
}
