//! Charts of every kind, from data of every kind.
use proptest::prelude::*;
use striate_report::{Axis, BarStyle, Chart, Colours, Data, Figure, Group, Page, Places, Sample, Scale, Section, Series};

/// One chart of each kind from the same values.
pub fn of_every_kind(x: &[f64], y: &[f64]) -> Vec<Chart> {
    let (x, y) = (x.to_vec(), y.to_vec());
    let names: Vec<String> = (0..y.len()).map(|i| format!("name {i}")).collect();
    let banded = Series::new("banded", x.clone(), y.clone()).with_band(y.iter().map(|v| v - 0.5).collect(), y.iter().map(|v| v + 0.5).collect());
    let plain = Series::new("plain", x.clone(), x.iter().rev().copied().collect());
    let group = Group { name: "g".into(), values: y.clone(), low: banded.low.clone(), high: banded.high.clone() };
    let other = Group { name: "h".into(), values: x.clone(), ..Group::default() };
    let chart = |data: Data| Chart::new("title", Axis::new("abscissa", "s"), Axis::new("ordinate", "spikes/s"), data);
    let heatmap = |rows: Places, diverging: bool| Data::Heatmap {
        values: y.iter().chain(&x).copied().collect(),
        rows,
        columns: Places::Names(names.clone()),
        colours: Colours { label: "share".into(), ends: None, diverging },
    };
    let bars = |style| Data::Bars { names: names.clone(), groups: vec![group.clone(), other.clone()], style };
    let log = chart(Data::Lines { series: vec![plain.clone()] });
    vec![
        chart(Data::Lines { series: vec![banded.clone(), plain.clone()] }),
        Chart { x: log.x.clone().scaled(Scale::Log), y: log.y.clone().scaled(Scale::Log), ..log },
        chart(Data::Scatter { series: vec![banded.clone(), plain.clone()], diagonal: true }),
        chart(Data::Histogram {
            samples: vec![Sample { name: "a".into(), values: y.clone() }, Sample { name: "b".into(), values: x.clone() }],
            bins: None,
        }),
        chart(bars(BarStyle::Bars)),
        chart(bars(BarStyle::Dots)),
        chart(bars(BarStyle::Paired)),
        chart(heatmap(Places::Names(vec!["first".into(), "second".into()]), false)),
        chart(heatmap(Places::Range { count: 2, ends: [-1.0, 1.0] }, true)),
        chart(Data::Polar { series: vec![banded, plain] }),
    ]
}

/// Every number among the geometry of an SVG document.
fn coordinates(svg: &str) -> Vec<f64> {
    let document = roxmltree::Document::parse(svg).expect("well-formed");
    let geometry = ["x", "y", "width", "height", "cx", "cy", "r", "d", "stroke-width", "font-size", "viewBox", "fill-opacity"];
    let attributes = document.descendants().flat_map(|node| node.attributes().collect::<Vec<_>>());
    let values = attributes.filter(|a| geometry.contains(&a.name())).map(|a| a.value().to_owned()).collect::<Vec<_>>();
    values.iter().flat_map(|v| v.split([' ', 'M', 'L', 'Z']).filter(|v| !v.is_empty())).map(|v| v.parse().unwrap_or(f64::NAN)).collect()
}

/// All that is drawn is a number on the canvas.
fn check(chart: &Chart) -> Result<(), TestCaseError> {
    let svg = Figure::new(chart).svg();
    let found = coordinates(&svg);
    prop_assert!(found.len() > 20, "{svg}");
    prop_assert!(found.iter().all(|v| v.is_finite() && (-200.0..6000.0).contains(v)), "{chart:?}: {svg}");
    Ok(())
}

#[test]
fn nothing_one_point_and_extremes_are_drawn() {
    let extremes = [f64::NAN, f64::INFINITY, -f64::MAX, f64::MAX, 1e149, -1e149, 0.0, -0.0, 1e-308, 5e-324];
    for (x, y) in [
        (&[][..], &[][..]),
        (&[1.0], &[2.0]),
        (&[f64::NAN], &[1.0]),
        (&[3.0; 4], &[7.0; 4]),
        (&extremes, &extremes),
        (&[1e149, -1e149], &[1e-200, 2e-200]),
    ] {
        for chart in of_every_kind(x, y) {
            check(&chart).unwrap();
        }
    }
}

#[test]
fn a_chart_says_its_values_and_units() {
    for chart in of_every_kind(&[0.0, 90.0, 180.0, 270.0], &[1.0, 2.5, f64::NAN, 0.125]) {
        let svg = Figure::new(&chart).svg();
        // On the logarithmic axes stands another series.
        let value = if chart.x.scale == Scale::Log { "ordinate (spikes/s): 180" } else { "2.5" };
        assert!(svg.contains("<title>") && svg.contains(value), "{chart:?}");
        let polar_or_matrix = matches!(chart.data, Data::Polar { .. } | Data::Heatmap { .. });
        assert!(polar_or_matrix || svg.contains("abscissa (s)") && svg.contains("ordinate (spikes/s)"), "{svg}");
    }
    let lines = &of_every_kind(&[0.0, 90.0, 180.0, 270.0], &[1.0, 2.5, f64::NAN, 0.125])[0];
    let svg = Figure::new(lines).svg();
    assert!(svg.contains("banded\nabscissa (s): 90\nordinate (spikes/s): 2.5\nfrom: 2\nto: 3"), "{svg}");
    assert!(svg.contains("1 without a value"), "{svg}");
}

#[test]
fn a_line_breaks_at_nan_and_a_spread_spans_its_runs() {
    let chart = |y: Vec<f64>| {
        let x = (0..y.len()).map(|i| i as f64).collect();
        Chart::new("t", Axis::default(), Axis::default(), Data::Lines { series: vec![Series::new("s", x, y)] })
    };
    let stretches = |c: Chart| Figure::new(&c).svg().matches("stroke-width=\"2\"").count();
    assert_eq!(stretches(chart(vec![1.0, 2.0, 3.0, 4.0, 5.0])), 1);
    assert_eq!(stretches(chart(vec![1.0, 2.0, f64::NAN, 4.0, 5.0])), 2);
    let spread = Series::spread("s", vec![1.0, 2.0], &[vec![1.0, f64::NAN], vec![4.0, f64::NAN]]);
    assert_eq!((spread.y[0], spread.low[0], spread.high[0]), (2.5, 1.0, 4.0));
    assert!(spread.y[1].is_nan() && spread.low[1].is_nan());
}

#[test]
fn thousands_of_points_and_cells_stay_small() {
    let x: Vec<f64> = (0..50_000).map(|i| f64::from(i * 7919 % 10_007)).collect();
    let y: Vec<f64> = x.iter().map(|v| (v * 12.9898).sin() * 100.0).collect();
    let axes = || [Axis::new("x", ""), Axis::new("y", "")];
    let [a, b] = axes();
    let scatter = Chart::new("many", a, b, Data::Scatter { series: vec![Series::new("", x.clone(), y.clone())], diagonal: false });
    let svg = Figure::new(&scatter).svg();
    assert!(svg.len() < 500_000, "{}", svg.len());
    let counted: usize = svg.split("<title>points: ").skip(1).map(|t| t.split('\n').next().unwrap().parse::<usize>().unwrap()).sum();
    assert_eq!(counted, 50_000, "every point is counted once");
    let [a, b] = axes();
    let places = |count| Places::Range { count, ends: [0.0, 1.0] };
    let map = Data::Heatmap { values: y, rows: places(200), columns: places(250), colours: Colours::default() };
    let svg = Figure::new(&Chart::new("map", a, b, map)).svg();
    assert!(svg.len() < 1_000_000 && svg.contains("means over 4 by 4 cells"), "{}", svg.len());
}

#[test]
fn a_map_has_its_first_row_on_top_and_zero_in_the_middle() {
    let names = |n: usize, what: &str| Places::Names((0..n).map(|i| format!("{what}{i}")).collect());
    let colours = Colours { label: "v".into(), ends: None, diverging: true };
    let data = Data::Heatmap { values: vec![-1.0, 0.0, 0.5, 3.0], rows: names(2, "r"), columns: names(2, "c"), colours };
    let svg = Figure::new(&Chart::new("t", Axis::new("column", ""), Axis::new("row", ""), data)).svg();
    let document = roxmltree::Document::parse(&svg).unwrap();
    let cell = |tip: &str| {
        let node =
            document.descendants().find(|n| n.has_tag_name("rect") && n.children().any(|c| c.text().is_some_and(|t| t.starts_with(tip)))).unwrap();
        (node.attribute("y").unwrap().parse::<f64>().unwrap(), node.attribute("fill").unwrap().to_owned())
    };
    assert!(cell("row: r0\ncolumn: c0").0 < cell("row: r1\ncolumn: c0").0);
    assert_eq!(cell("row: r0\ncolumn: c1").1, "#f5f5f5", "zero has the neutral colour");
    assert_eq!(cell("row: r1\ncolumn: c1").1, "#d55e00", "the greatest has the last");
}

#[test]
fn charts_of_every_kind_survive_json() {
    let mut section = Section::new("all");
    section.charts = of_every_kind(&[1.0, 2.0], &[0.5, 0.25]);
    let page = Page::new("kinds").section(section);
    let text = serde_json::to_string(&page).unwrap();
    assert_eq!(serde_json::from_str::<Page>(&text).unwrap(), page);
    let nan = of_every_kind(&[1.0], &[f64::NAN]).remove(0);
    let back: Chart = serde_json::from_str(&serde_json::to_string(&nan).unwrap()).unwrap();
    assert!(matches!(back.data, Data::Lines { series } if series[0].y[0].is_nan() && series[0].x == [1.0]));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]
    #[test]
    fn whatever_comes_is_drawn_on_the_canvas(
        points in proptest::collection::vec((proptest::num::f64::ANY, prop_oneof![-1e3..1e3f64, proptest::num::f64::ANY]), 0..12),
        modest in proptest::collection::vec((-1e3..1e3f64, 0.0..1e6f64), 0..60),
    ) {
        for points in [points, modest] {
            let (x, y): (Vec<f64>, Vec<f64>) = points.into_iter().unzip();
            for chart in of_every_kind(&x, &y) {
                check(&chart)?;
            }
        }
    }
}
