import { render } from "preact";
import { Explorer } from "./explorer";
import "maplibre-gl/dist/maplibre-gl.css";
import "./style.css";

render(<Explorer />, document.getElementById("app")!);
