//! The embedding keeps clusters apart and neighbours near, whatever the number of threads.
use super::clusters;
use ndarray::{Array2, array};
use striate_analysis::Error;
use striate_analysis::anatomy::{EmbedConfig, embed, nearest_neighbours, neighbours_kept, trustworthiness};

#[test]
fn separate_clusters_stay_separate() {
    let (x, labels) = clusters(240, 10, 3, 12.0, 11);
    let places = embed(x.view(), &EmbedConfig::default()).unwrap();
    let near = nearest_neighbours(places.view(), 10);
    let same = near.index.indexed_iter().filter(|((i, _), j)| labels.of[*i] == labels.of[**j]).count();
    assert_eq!(same, near.index.len(), "all ten neighbours of every sample are of its cluster");
    let trust = trustworthiness(x.view(), places.view(), 10);
    assert!(trust > 0.85, "trustworthiness {trust}");
    let others = Array2::from_shape_fn((240, 2), |(i, axis)| places[[i % 80 * 3 + i / 80, axis]]);
    let chance = trustworthiness(x.view(), others.view(), 10);
    assert!(chance < 0.6, "trustworthiness {chance} with the places of other samples");
}

#[test]
fn a_plane_stays_a_plane() {
    let x = Array2::from_shape_fn((400, 2), |(i, axis)| [i % 20, i / 20][axis] as f32 + (i * 7919 % 101) as f32 * 1e-3);
    let places = embed(x.view(), &EmbedConfig::default()).unwrap();
    let kept = neighbours_kept(x.view(), places.view(), 10);
    assert!(kept > 0.6, "{kept} of neighbours kept");
    assert!(trustworthiness(x.view(), places.view(), 10) > 0.95);
}

#[test]
fn same_seed_same_places_on_any_number_of_threads() {
    let (x, _) = clusters(150, 5, 2, 3.0, 12);
    let with = |threads: usize, seed: u64| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| embed(x.view(), &EmbedConfig { seed, epochs: Some(50), ..EmbedConfig::default() }).unwrap())
    };
    assert_eq!(with(1, 0), with(3, 0));
    assert_ne!(with(1, 0), with(1, 1));
}

#[test]
fn odd_samples_have_finite_places() {
    let duplicates = Array2::from_elem((20, 3), 0.5);
    let line = Array2::from_shape_fn((30, 1), |(i, _)| i as f32);
    let three = array![[0.0f32, 1.0], [1.0, 0.0], [5.0, 5.0]];
    for x in [duplicates, line, three] {
        let places = embed(x.view(), &EmbedConfig::default()).unwrap();
        assert!(places.iter().all(|v| v.is_finite()) && places.nrows() == x.nrows());
    }
    assert!(matches!(embed(Array2::zeros((2, 3)).view(), &EmbedConfig::default()), Err(Error::Shape { .. })));
    let poison = array![[0.0f32, 1.0], [1.0, f32::NAN], [5.0, 5.0]];
    assert!(matches!(embed(poison.view(), &EmbedConfig::default()), Err(Error::Feature { row: 1, column: 1, .. })));
    let config = EmbedConfig { neighbours: 1, ..EmbedConfig::default() };
    assert!(matches!(embed(Array2::zeros((9, 3)).view(), &config), Err(Error::Config { field: "neighbours", .. })));
}

#[test]
fn neighbours_are_the_nearest_in_order() {
    let (x, _) = clusters(150, 4, 3, 2.0, 13);
    let found = nearest_neighbours(x.view(), 7);
    for i in 0..150 {
        let distance = |j: usize| x.row(i).iter().zip(x.row(j)).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>().sqrt();
        let mut others: Vec<usize> = (0..150).filter(|&j| j != i).collect();
        others.sort_by(|&a, &b| distance(a).total_cmp(&distance(b)));
        assert_eq!(found.index.row(i).to_vec(), others[..7]);
        assert!((found.distance[[i, 6]] - distance(others[6])).abs() < 1e-12);
    }
    assert_eq!(nearest_neighbours(x.slice(ndarray::s![..3, ..]), 10).index.dim(), (3, 2));
}
