//! Parameters know their role: name, shape, decay, gradient scale, norm axes, frozen.
//!
//! The optimizer reads these roles (adaptive clipping needs them); nothing about a parameter is hidden elsewhere.

use std::collections::HashMap;
use std::ops::{Deref, DerefMut, Index};
use std::sync::Arc;

/// Values of a parameter tensor. Clones share one copy in memory until one of them is changed, so that the networks of a cohort
/// hold what they share only once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Values(Arc<Vec<f32>>);

impl Values {
    /// Whether both are the same copy in memory.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl From<Vec<f32>> for Values {
    fn from(values: Vec<f32>) -> Self {
        Self(Arc::new(values))
    }
}

impl Deref for Values {
    type Target = [f32];
    fn deref(&self) -> &[f32] {
        &self.0
    }
}

impl DerefMut for Values {
    fn deref_mut(&mut self) -> &mut [f32] {
        Arc::make_mut(&mut self.0).as_mut_slice()
    }
}

/// One parameter tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// The reference implementation's key, for example `core.feedforward.inputs.0.weights.2`.
    pub name: String,
    /// Shape, row-major.
    pub shape: Vec<usize>,
    /// Values, row-major.
    pub value: Values,
    /// Whether weight decay applies.
    pub decay: bool,
    /// Factor on the gradient: the number of units for readout parameters (the loss is averaged over units), else 1.
    pub scale: f32,
    /// Axes that one clipping norm spans; `None`: one norm over the whole tensor.
    pub norm_axes: Option<Vec<usize>>,
    /// A frozen parameter has no gradient.
    pub frozen: bool,
}

/// Every parameter of a network, in a fixed order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Params {
    list: Vec<Param>,
    index: HashMap<String, usize>,
}

impl Params {
    /// Appends a parameter and returns its place. Panics on a name given twice: that is a bug in a module.
    pub(crate) fn push(&mut self, param: Param) -> usize {
        assert_eq!(param.value.len(), param.shape.iter().product::<usize>(), "size of {}", param.name);
        let place = self.list.len();
        let before = self.index.insert(param.name.clone(), place);
        assert!(before.is_none(), "parameter {} declared twice", param.name);
        self.list.push(param);
        place
    }

    /// Number of parameter tensors.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// All parameters, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Param> {
        self.list.iter()
    }

    /// All parameters, in order, for changing their values.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Param> {
        self.list.iter_mut()
    }

    /// The place of a parameter by name.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }

    /// A parameter by name.
    pub fn get(&self, name: &str) -> Option<&Param> {
        self.place(name).map(|place| &self.list[place])
    }

    /// A parameter by name, for changing its value.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Param> {
        self.place(name).map(|place| &mut self.list[place])
    }

    /// Whether a parameter that a module declared itself is trained.
    pub(crate) fn learns(&self, name: &str) -> bool {
        !self.list[self.index[name]].frozen
    }

    /// Values of a parameter a module declared itself.
    pub(crate) fn value(&self, name: &str) -> &[f32] {
        &self.list[self.index[name]].value
    }

    /// Number of scalars.
    pub fn scalars(&self) -> usize {
        self.list.iter().map(|p| p.value.len()).sum()
    }
}

impl Index<usize> for Params {
    type Output = Param;
    fn index(&self, place: usize) -> &Param {
        &self.list[place]
    }
}

/// Gradients of an objective, one slot per parameter; `None` where a parameter took no part (another stream's, or frozen).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gradients {
    list: Vec<Option<Vec<f32>>>,
}

impl Gradients {
    /// No gradient anywhere, for the parameters given.
    pub fn none(params: &Params) -> Self {
        Self { list: vec![None; params.len()] }
    }

    /// The gradient at a parameter's place.
    pub fn get(&self, place: usize) -> Option<&[f32]> {
        self.list[place].as_deref()
    }

    /// Sets or removes the gradient at a parameter's place.
    pub fn set(&mut self, place: usize, gradient: Option<Vec<f32>>) {
        self.list[place] = gradient;
    }

    /// Adds to the gradient of a parameter by name; a frozen parameter takes none.
    pub(crate) fn add(&mut self, params: &Params, name: &str, gradient: &[f32]) {
        let place = params.index[name];
        if params.list[place].frozen {
            return;
        }
        match &mut self.list[place] {
            Some(sum) => sum.iter_mut().zip(gradient).for_each(|(s, g)| *s += g),
            slot => *slot = Some(gradient.to_vec()),
        }
    }

    /// Number of slots.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are no slots.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// All slots, in the parameters' order.
    pub fn iter(&self) -> impl Iterator<Item = Option<&[f32]>> {
        self.list.iter().map(|slot| slot.as_deref())
    }
}
