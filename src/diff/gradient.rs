//! What a sweep found, and what is asked of it later.

use super::breaks;
use super::descent::sweep;
use super::recorded;
use super::wanted::{Task, connected};
use crate::array::NdArray;
use crate::error::{Error, Fault, Operand, Place, Result};
use crate::kernels::map;
use crate::ops::Op;
use crate::record::Arena;
use crate::record::steps::Step;
use crate::shape::Type;
use smallvec::SmallVec;
use std::cell::RefCell;

/// How a gradient is to be taken.
#[derive(Default, Clone)]
pub(crate) struct Request {
    /// The loss's cotangent; without one the loss has one element, and it is 1.
    pub(crate) seed: Option<NdArray>,
    /// Exactly these nodes; otherwise the leaves now, and others when asked for.
    pub(crate) targets: Option<Vec<u32>>,
    /// Whether the sweep is recorded, so that its results can be differentiated.
    pub(crate) record: bool,
    /// Whether a zero cotangent meets an infinite slope as IEEE 754 says.
    pub(crate) ieee: bool,
    /// Whether each value is freed after its last use.
    pub(crate) consume: bool,
}

/// The cotangents of a loss.
pub(crate) struct Gradient {
    /// The epoch and the node of the loss.
    epoch: u64,
    loss: u32,
    request: Request,
    found: Found,
    answers: Vec<Answer>,
}

/// What was found, ascending by node.
pub(crate) enum Found {
    Arrays(Vec<(u32, NdArray)>),
    /// The node, and where its cotangent is: the epoch and the node.
    Nodes(Vec<(u32, (u64, u32))>),
}

/// What a gradient answers: at once, or after one more sweep, whose results it is then to
/// be given.
pub(crate) enum Asked<T> {
    Known(T),
    After(Step<Found>),
}

/// The node asked for, the epoch, the node of the answer.
type Answer = (u32, u64, u32);

/// The lists of gradients that are gone, for the next ones.
struct Spare {
    arrays: Vec<Vec<(u32, NdArray)>>,
    answers: Vec<Vec<Answer>>,
}

/// Gradients that live at once are few.
const SPARE: usize = 4;
/// Longer lists are not kept.
const SPARE_LEN: usize = 1 << 12;

thread_local! {
    static LISTS: RefCell<Spare> = const {
        RefCell::new(Spare { arrays: Vec::new(), answers: Vec::new() })
    };
}

/// Uses the spare lists. A thread that ends has none any more.
fn with_spare<R: Default>(f: impl FnOnce(&mut Spare) -> R) -> R {
    LISTS.try_with(|lists| f(&mut lists.borrow_mut())).unwrap_or_default()
}

/// Keeps an empty list among spare ones.
fn keep<T>(spare: &mut Vec<Vec<T>>, list: Vec<T>) {
    if spare.len() < SPARE && list.capacity() < SPARE_LEN {
        spare.push(list);
    }
}

impl Drop for Gradient {
    fn drop(&mut self) {
        let Found::Arrays(found) = &mut self.found else { return };
        let (mut found, mut answers) =
            (std::mem::take(found), std::mem::take(&mut self.answers));
        found.clear();
        answers.clear();
        with_spare(|spare| {
            keep(&mut spare.arrays, found);
            keep(&mut spare.answers, answers);
        });
    }
}

impl Gradient {
    /// Sweeps from `loss`.
    pub(crate) fn new(
        arena: &mut Arena,
        loss: u32,
        mut request: Request,
        site: u32,
    ) -> Result<Step<Gradient>> {
        if request.record && request.consume {
            return Err(Error::new(Fault::ConsumeRecorded));
        }
        let ty = arena.ty(loss).clone();
        expect_float(arena, "grad", loss)?;
        let explain = |arena: &Arena, fault: Fault| {
            let (label, place) = (arena.label(loss), Place::Site(arena.site(loss)));
            Error::new(fault).with_operand(0, label, place)
        };
        let operand = Operand::new(&ty.shape);
        match &request.seed {
            None if ty.shape.len() != 1 => {
                return Err(explain(arena, Fault::NotScalar { operand }));
            }
            Some(seed) if seed.shape() != &*ty.shape => {
                let seed = seed.shape().to_vec();
                return Err(explain(arena, Fault::SeedShape { operand, seed }));
            }
            Some(seed) => request.seed = Some(seed.cast(ty.dtype)?),
            None => {}
        }
        if let Some(targets) = &mut request.targets {
            for &target in targets.iter() {
                expect_float(arena, "grad", target)?;
            }
            targets.sort_unstable();
            targets.dedup();
        }
        let task = Task {
            loss,
            seed: request.seed.as_ref(),
            targets: request.targets.as_deref(),
            ieee: request.ieee,
            consume: request.consume,
        };
        let found = if request.record {
            nodes(arena, &task, site)?
        } else {
            arrays(arena, &task)?
        };
        let answers = with_spare(|spare| spare.answers.pop()).unwrap_or_default();
        found.then(arena, move |arena, found| {
            let epoch = arena.epochs().current();
            Ok(Gradient { epoch, loss, request, found, answers })
        })
    }

    /// The node that was differentiated.
    pub(crate) fn loss(&self) -> u32 {
        self.loss
    }

    /// Nodes that hold the cotangents of `nodes`, in their order; zeros where no path
    /// leads. What the first sweep did not find is found by one more.
    pub(crate) fn wrt(
        &mut self,
        arena: &mut Arena,
        nodes: &[u32],
        site: u32,
    ) -> Result<Asked<Vec<u32>>> {
        if let Some(sweep) = self.find(arena, nodes, site)? {
            return Ok(Asked::After(sweep));
        }
        let places = nodes.iter().map(|&node| self.place(arena, node, site));
        places.collect::<Result<_>>().map(Asked::Known)
    }

    /// Fails unless a path leads from the loss to each of the nodes; says where the
    /// paths end.
    pub(crate) fn expect_connected(&self, arena: &Arena, nodes: &[u32]) -> Result<()> {
        for &node in nodes {
            expect_float(arena, "wrt", node)?;
            if !self.connected(arena, node)? {
                return Err(breaks::disconnected(arena, self.loss, node));
            }
        }
        Ok(())
    }

    /// As `wrt`, for one node.
    pub(crate) fn wrt_one(
        &mut self,
        arena: &mut Arena,
        node: u32,
        site: u32,
    ) -> Result<Asked<u32>> {
        if let Some(sweep) = self.find(arena, &[node], site)? {
            return Ok(Asked::After(sweep));
        }
        self.place(arena, node, site).map(Asked::Known)
    }

    /// A step of gradient descent from each of `nodes`, by its rate: new values, of which
    /// none is recorded.
    #[cfg(feature = "python")]
    pub(crate) fn descend(
        &mut self,
        arena: &mut Arena,
        nodes: &[u32],
        rates: &[f64],
        site: u32,
    ) -> Result<Asked<Vec<NdArray>>> {
        if let Some(sweep) = self.find(arena, nodes, site)? {
            return Ok(Asked::After(sweep));
        }
        let steps = nodes.iter().zip(rates);
        let next = steps.map(|(&node, &rate)| self.step(arena, node, rate, site));
        next.collect::<Result<_>>().map(Asked::Known)
    }

    /// As `descend`, from one node.
    pub(crate) fn descend_one(
        &mut self,
        arena: &mut Arena,
        node: u32,
        rate: f64,
        site: u32,
    ) -> Result<Asked<NdArray>> {
        if let Some(sweep) = self.find(arena, &[node], site)? {
            return Ok(Asked::After(sweep));
        }
        self.step(arena, node, rate, site).map(Asked::Known)
    }

    /// The value that lies a step down from a node's, whose cotangent was looked for.
    fn step(
        &mut self,
        arena: &mut Arena,
        node: u32,
        rate: f64,
        site: u32,
    ) -> Result<NdArray> {
        arena.expect_value("optimize", node)?;
        if let Found::Arrays(list) = &self.found {
            return match list.binary_search_by_key(&node, |x| x.0) {
                Ok(k) => map::descend(arena.view(node), list[k].1.view(), rate),
                // No path leads there.
                Err(_) => arena.view(node).copied("optimize"),
            };
        }
        let place = self.place(arena, node, site)?;
        map::descend(arena.view(node), arena.view(place), rate)
    }

    /// Sweeps once more for those nodes that earlier sweeps were not to find; gives the
    /// sweep if it waits.
    fn find(
        &mut self,
        arena: &mut Arena,
        nodes: &[u32],
        site: u32,
    ) -> Result<Option<Step<Found>>> {
        let mut missing: SmallVec<[u32; 8]> = SmallVec::new();
        for &node in nodes {
            self.expect_older(arena, "wrt", node)?;
            expect_float(arena, "wrt", node)?;
            if self.answer(arena, node).is_some() || self.is_found(node) {
                continue;
            }
            if let Some(targets) = &self.request.targets {
                if targets.binary_search(&node).is_err() {
                    let label = arena.label(node);
                    let place = Place::Site(arena.site(node));
                    return Err(Error::new(Fault::NotAsked { label: label.clone() })
                        .recorded_at(label, place));
                }
            } else if !arena.is_leaf(node) && node <= self.loss {
                missing.push(node);
            }
        }
        if missing.is_empty() {
            return Ok(None);
        }
        missing.sort_unstable();
        missing.dedup();
        match self.sweep(arena, &missing, site)? {
            Step::Done(found) => {
                self.add(found);
                Ok(None)
            }
            waits @ Step::Waits(_) => Ok(Some(waits)),
        }
    }

    fn is_found(&self, node: u32) -> bool {
        match &self.found {
            Found::Arrays(list) => list.binary_search_by_key(&node, |x| x.0).is_ok(),
            Found::Nodes(list) => list.binary_search_by_key(&node, |x| x.0).is_ok(),
        }
    }

    /// Sweeps for nodes that are not leaves.
    fn sweep(
        &self,
        arena: &mut Arena,
        targets: &[u32],
        site: u32,
    ) -> Result<Step<Found>> {
        self.expect_loss(arena, "wrt")?;
        let task = Task {
            loss: self.loss,
            seed: self.request.seed.as_ref(),
            targets: Some(targets),
            ieee: self.request.ieee,
            consume: false,
        };
        match self.found {
            Found::Arrays(_) => arrays(arena, &task),
            Found::Nodes(_) => nodes(arena, &task, site),
        }
    }

    /// Adds what a further sweep has found. While that waited, another may have found the
    /// same.
    pub(crate) fn add(&mut self, more: Found) {
        fn merge<T>(known: &mut Vec<(u32, T)>, more: &mut Vec<(u32, T)>) {
            known.append(more);
            known.sort_unstable_by_key(|x| x.0);
            known.dedup_by_key(|x| x.0);
        }
        match (&mut self.found, more) {
            (Found::Arrays(known), Found::Arrays(mut more)) => {
                merge(known, &mut more);
                with_spare(|spare| keep(&mut spare.arrays, more));
            }
            (Found::Nodes(known), Found::Nodes(mut more)) => merge(known, &mut more),
            _ => unreachable!("all sweeps of a gradient are recorded, or none"),
        }
    }

    /// The earlier answer for a node, if it still lives.
    fn answer(&self, arena: &Arena, node: u32) -> Option<u32> {
        let answers = self.answers.iter().rev();
        let known = answers.filter(|&&(asked, ..)| asked == node);
        known
            .filter(|&&(_, epoch, place)| arena.epochs().death(epoch, place).is_none())
            .map(|&(_, _, place)| place)
            .next()
    }

    /// The node that holds the cotangent of `node`.
    fn place(&mut self, arena: &mut Arena, node: u32, site: u32) -> Result<u32> {
        if let Some(place) = self.answer(arena, node) {
            return Ok(place);
        }
        let zeros = |ty: &Type| NdArray::zeros(&ty.shape, ty.dtype);
        let place = match &self.found {
            Found::Arrays(list) => {
                let made;
                let array = match list.binary_search_by_key(&node, |x| x.0) {
                    Ok(k) if list[k].1.is_contiguous() => &list[k].1,
                    Ok(k) => {
                        made = list[k].1.copied()?;
                        &made
                    }
                    Err(_) => {
                        made = zeros(arena.ty(node))?;
                        &made
                    }
                };
                arena.source(&Op::Gradient, array, None, site)?
            }
            Found::Nodes(list) => {
                if let Ok(k) = list.binary_search_by_key(&node, |x| x.0) {
                    let (epoch, place) = list[k].1;
                    if let Some(event) = arena.epochs().death(epoch, place) {
                        let label = format!("the gradient of #{}", self.loss);
                        return Err(Error::new(Fault::Dead {
                            op: "wrt",
                            label,
                            event,
                        }));
                    }
                    place
                } else {
                    let array = zeros(arena.ty(node))?;
                    arena.source(&Op::Constant, &array, None, site)?
                }
            }
        };
        self.answers.push((node, arena.epochs().current(), place));
        Ok(place)
    }

    /// Whether a path leads from the loss to `node`.
    pub(crate) fn connected(&self, arena: &Arena, node: u32) -> Result<bool> {
        self.expect_loss(arena, "connected")?;
        connected(arena, self.loss, node)
    }

    /// The cotangents of all nodes that depend on a leaf and that the loss depends on,
    /// ascending by node, by a sweep of their own.
    pub(crate) fn cotangents(
        &self,
        arena: &mut Arena,
        op: &'static str,
    ) -> Result<Step<Vec<(u32, NdArray)>>> {
        self.expect_loss(arena, op)?;
        let nodes = 0..=self.loss;
        let targets: Vec<u32> = nodes.filter(|&node| arena.is_active(node)).collect();
        let task = Task {
            loss: self.loss,
            seed: self.request.seed.as_ref(),
            targets: Some(&targets),
            ieee: self.request.ieee,
            consume: false,
        };
        sweep(arena, &task, Vec::new())?.then(arena, |_, mut found| {
            found.reverse();
            Ok(found)
        })
    }

    /// Fails if the loss is gone.
    fn expect_loss(&self, arena: &Arena, op: &'static str) -> Result<()> {
        match arena.epochs().death(self.epoch, self.loss) {
            None => Ok(()),
            Some(event) => {
                let label = format!("the loss #{}", self.loss);
                Err(Error::new(Fault::Dead { op, label, event }))
            }
        }
    }

    /// Fails if the loss is gone and `node` has the number of one that went with it.
    fn expect_older(&self, arena: &Arena, op: &'static str, node: u32) -> Result<()> {
        match arena.epochs().death(self.epoch, node) {
            None => Ok(()),
            Some(_) => self.expect_loss(arena, op),
        }
    }
}

/// The nodes that a recorded sweep makes.
fn nodes(arena: &mut Arena, task: &Task<'_>, site: u32) -> Result<Step<Found>> {
    recorded::sweep_recorded(arena, task, site)?.then(arena, |arena, found| {
        let epoch = arena.epochs().current();
        let places = found.into_iter().map(|(node, place)| (node, (epoch, place)));
        Ok(Found::Nodes(places.collect()))
    })
}

/// The arrays that a sweep finds.
fn arrays(arena: &mut Arena, task: &Task<'_>) -> Result<Step<Found>> {
    let list = with_spare(|spare| spare.arrays.pop()).unwrap_or_default();
    sweep(arena, task, list)?.then(arena, |_, mut found| {
        found.reverse();
        Ok(Found::Arrays(found))
    })
}

/// Fails unless the node has a gradient by its type.
fn expect_float(arena: &Arena, op: &'static str, node: u32) -> Result<()> {
    let dtype = arena.ty(node).dtype;
    if dtype.is_float() {
        return Ok(());
    }
    let (label, place) = (arena.label(node), Place::Site(arena.site(node)));
    Err(Error::new(Fault::IntegerGradient { op, label: label.clone(), dtype })
        .recorded_at(label, place))
}
