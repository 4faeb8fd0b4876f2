//! Nodes of ops that users define: the rules of each stand beside its row.

use super::Arena;
use crate::array::NdArray;
use crate::dtype::{DType, Scalar};
use crate::error::{Error, Fault, Operand, Place, Result};
use crate::ops::Op;
use crate::ops::emit::{Arg, Args};
use crate::record::custom::CustomOp;
use crate::record::finite;
use crate::record::steps::{Answer, Ask, Call, Nodes, Step, Vjp};
use crate::shape::Type;
use smallvec::SmallVec;
use std::borrow::Cow;
use std::sync::Arc;

/// What a node of a user's op stands for.
#[derive(Clone)]
pub(crate) struct Custom {
    pub(crate) op: Arc<dyn CustomOp>,
    pub(crate) part: Part,
}

/// Which of an op's values a node has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Its own.
    Value,
    /// The cotangent of an operand, by a rule that works on arrays. The node's operands
    /// are the cotangent, the value and the operands of the op.
    Vjp(usize),
}

impl Custom {
    /// The call that gives the value where the node's operands have the values `x`.
    pub(crate) fn call(&self, mut x: Vec<NdArray>) -> Call {
        let op = Arc::clone(&self.op);
        let Part::Vjp(_) = self.part else { return Call { op, x, ask: Ask::Value } };
        let rest = x.split_off(2);
        let [ct, y] = <[NdArray; 2]>::try_from(x)
            .unwrap_or_else(|_| unreachable!("a vjp takes two values more"));
        Call { op, x: rest, ask: Ask::Vjp(Box::new(Vjp { ct, y, nodes: None })) }
    }
}

/// An operand of a user's op, as it was given.
pub(crate) enum CustomOperand {
    Node(u32),
    #[cfg_attr(
        not(feature = "python"),
        expect(dead_code, reason = "Rust gives tensors")
    )]
    Array(NdArray),
    /// A number takes the type that it has beside the others.
    #[cfg_attr(
        not(feature = "python"),
        expect(dead_code, reason = "Rust gives tensors")
    )]
    Number(Scalar),
}

impl Arena {
    /// What a node of a user's op stands for.
    pub(crate) fn custom(&self, node: u32) -> Option<&Custom> {
        let found = self.customs.binary_search_by_key(&node, |x| x.0);
        found.ok().map(|k| &self.customs[k].1)
    }

    /// As `custom`, for a node that is known to be of a user's op.
    pub(crate) fn custom_of(&self, node: u32) -> &Custom {
        self.custom(node).expect("the node applies a user's op")
    }

    /// The last node of a user's op below `rest`.
    #[inline]
    pub(crate) fn last_custom(&self, rest: u32) -> Option<u32> {
        let k = self.customs.partition_point(|x| x.0 < rest);
        Some(self.customs[k.checked_sub(1)?].0)
    }

    /// The name of a node's op, as views show it.
    pub(crate) fn op_name(&self, node: u32) -> Cow<'static, str> {
        match self.custom(node) {
            None => self.tag(node).name().into(),
            Some(Custom { op, part: Part::Value }) => op.name().into(),
            Some(Custom { op, part: Part::Vjp(_) }) => {
                format!("{}_vjp", op.name()).into()
            }
        }
    }

    /// Applies a user's op. The operands that are not nodes become constants.
    pub(crate) fn begin_custom(
        &mut self,
        op: Arc<dyn CustomOp>,
        operands: Vec<CustomOperand>,
        site: u32,
    ) -> Result<Step<u32>> {
        let name = op.name();
        let dtype = self.dtype_of_customs(&operands);
        let mut x = Vec::new();
        for operand in &operands {
            x.push(match operand {
                CustomOperand::Node(node) => {
                    self.expect_value(name, *node)?;
                    self.data(*node)?
                }
                CustomOperand::Array(array) => array.clone(),
                CustomOperand::Number(number) => {
                    NdArray::full(&[], *number, number.promote(dtype))?
                }
            });
        }
        let epoch = self.epochs.current();
        let call = Call { op: Arc::clone(&op), x: x.clone(), ask: Ask::Value };
        Ok(Step::waits(call, move |arena, answer| {
            let Answer::Value(value) = answer? else {
                unreachable!("an op that is asked for its value gives it");
            };
            let start = arena.mark();
            let result = arena.operands_of_custom(name, &operands, &x, epoch, site);
            let custom = Custom { op, part: Part::Value };
            let result = result.and_then(|operands| {
                arena.commit_custom(custom, &operands, &value, site)
            });
            arena.keep_or_undo(&start, result).map(Step::Done)
        }))
    }

    /// The type that numbers stand beside.
    fn dtype_of_customs(&self, operands: &[CustomOperand]) -> DType {
        let typed = operands.iter().filter_map(|operand| match operand {
            CustomOperand::Node(node) => Some(self.ty(*node).dtype),
            CustomOperand::Array(array) => Some(array.dtype()),
            CustomOperand::Number(_) => None,
        });
        typed.reduce(DType::promote).unwrap_or(DType::Bool)
    }

    /// The operands as nodes, after the op was called on their values `x`.
    fn operands_of_custom(
        &mut self,
        name: &'static str,
        operands: &[CustomOperand],
        x: &[NdArray],
        epoch: u64,
        site: u32,
    ) -> Result<Args<u32>> {
        let mut nodes = Args::new();
        for (operand, x) in operands.iter().zip(x) {
            nodes.push(Arg::Value(match *operand {
                CustomOperand::Node(node) => {
                    self.expect_alive(name, epoch, node)?;
                    node
                }
                _ => self.source(&Op::Constant, x, None, site)?,
            }));
        }
        Ok(nodes)
    }

    /// Fails if a node that was there before a rule was called is gone.
    pub(crate) fn expect_alive(
        &self,
        op: &'static str,
        epoch: u64,
        node: u32,
    ) -> Result<()> {
        match self.epochs.death(epoch, node) {
            None => Ok(()),
            Some(event) => {
                let label = format!("#{node}");
                Err(Error::new(Fault::Dead { op, label, event }))
            }
        }
    }

    /// Appends a node of a user's op, whose value is known.
    pub(crate) fn commit_custom(
        &mut self,
        custom: Custom,
        operands: &[Arg<u32>],
        value: &NdArray,
        site: u32,
    ) -> Result<u32> {
        let name = custom.op.name();
        if self.check_finite {
            finite::expect(name, self.len(), None, value.view(), site)?;
        }
        let op = match custom.part {
            Part::Value => Op::Custom,
            Part::Vjp(_) => Op::CustomVjp,
        };
        let ty = self.types.number(&value.ty());
        let (slot, kind) = self.hold(op.tag(), ty, value)?;
        let node = self.commit(&op, operands, ty, slot, kind, site);
        self.customs.push((node, custom));
        Ok(node)
    }

    /// The call of the vjp of a node of a user's op. With the node of the cotangent, the
    /// result is to be recorded.
    pub(crate) fn vjp_call(
        &self,
        node: u32,
        ct: NdArray,
        recorded: Option<u32>,
    ) -> Result<Call> {
        let custom = self.custom_of(node);
        if let Part::Vjp(_) = custom.part {
            let (label, op) = (self.label(node), custom.op.name());
            return Err(self.about_node(Fault::VjpOfArrays { label, op }, node));
        }
        let operands = self.nodes_of(node);
        let x = operands.iter().map(|&x| self.data(x)).collect::<Result<_>>()?;
        let y = self.data(node)?;
        let epoch = self.epochs.current();
        let nodes =
            recorded.map(|ct| Nodes { ct, y: node, x: operands.to_vec(), epoch });
        Ok(Call {
            op: Arc::clone(&custom.op),
            x,
            ask: Ask::Vjp(Box::new(Vjp { ct, y, nodes })),
        })
    }

    /// The operands of a node all of whose operands are nodes.
    pub(crate) fn nodes_of(&self, node: u32) -> SmallVec<[u32; 3]> {
        let operands = self.operands(node).into_iter();
        operands
            .filter_map(|operand| match operand {
                Arg::Value(operand) => Some(operand),
                Arg::Number(_) => None,
            })
            .collect()
    }

    /// The error of a node's rule; that there is none is said with the node's place.
    pub(crate) fn about_rule(&self, error: Error, node: u32) -> Error {
        match error.fault() {
            Fault::NoRule { .. } if node < self.len() => {
                error.recorded_at(self.label(node), Place::Site(self.site(node)))
            }
            _ => error,
        }
    }

    /// The cotangents that a rule gave as arrays, if they fit the operands of `node`.
    pub(crate) fn cotangent_arrays(
        &self,
        node: u32,
        answer: Answer,
    ) -> Result<Vec<Option<NdArray>>> {
        let Answer::Arrays(given) = answer else {
            unreachable!("a sweep that is not recorded works on arrays");
        };
        let types = given.iter().map(|x| x.as_ref().map(NdArray::ty));
        self.expect_cotangents(node, types)?;
        Ok(given)
    }

    /// As `cotangent_arrays`, as nodes: those that the rule recorded, or one for each
    /// array.
    pub(crate) fn cotangent_nodes(
        &mut self,
        node: u32,
        ct: u32,
        answer: Answer,
        site: u32,
    ) -> Result<Vec<Option<u32>>> {
        if let Answer::Nodes(given) = answer {
            let name = self.custom_of(node).op.name();
            for &(epoch, x) in given.iter().flatten() {
                self.expect_alive(name, epoch, x)?;
            }
            let types = given.iter().map(|x| x.map(|(_, x)| self.ty(x).clone()));
            self.expect_cotangents(node, types)?;
            return Ok(given.into_iter().map(|x| x.map(|(_, x)| x)).collect());
        }
        let given = self.cotangent_arrays(node, answer)?;
        let operands: Args<u32> =
            [ct, node].into_iter().chain(self.nodes_of(node)).map(Arg::Value).collect();
        let record = |(k, array): (usize, Option<NdArray>)| {
            let Some(array) = array else { return Ok(None) };
            let op = Arc::clone(&self.custom_of(node).op);
            let custom = Custom { op, part: Part::Vjp(k) };
            self.commit_custom(custom, &operands, &array, site).map(Some)
        };
        given.into_iter().enumerate().map(record).collect()
    }

    /// Fails, naming the rule, unless each operand of a node is given a cotangent of its
    /// own type or none.
    fn expect_cotangents(
        &self,
        node: u32,
        given: impl ExactSizeIterator<Item = Option<Type>>,
    ) -> Result<()> {
        let operands = self.nodes_of(node);
        let rule = format!("{}.vjp", self.custom_of(node).op.name());
        if let Some(fault) = count_fault(&rule, given.len(), operands.len()) {
            return Err(self.about_node(fault, node));
        }
        for (position, (given, &operand)) in given.zip(&operands).enumerate() {
            if let Some(given) = given {
                self.expect_cotangent(node, &rule, position, operand, &given)?;
            }
        }
        Ok(())
    }

    /// Fails unless a cotangent may be that of an operand.
    fn expect_cotangent(
        &self,
        node: u32,
        rule: &str,
        position: usize,
        operand: u32,
        given: &Type,
    ) -> Result<()> {
        let label = self.label(operand);
        match cotangent_fault(rule, position, &label, self.ty(operand), given) {
            None => Ok(()),
            Some(fault) => {
                let place = Place::Site(self.site(operand));
                Err(self.about_node(fault, node).with_operand(0, label, place))
            }
        }
    }
}

/// What is wrong unless there is a cotangent, or `None`, for each operand.
pub(crate) fn count_fault(rule: &str, given: usize, wanted: usize) -> Option<Fault> {
    let fault = || Fault::CotangentCount { rule: rule.to_owned(), given, wanted };
    (given != wanted).then(fault)
}

/// What is wrong unless a cotangent may be that of an operand of type `ty`, which
/// messages call `label`.
pub(crate) fn cotangent_fault(
    rule: &str,
    position: usize,
    label: &str,
    ty: &Type,
    given: &Type,
) -> Option<Fault> {
    let (rule, label) = (rule.to_owned(), label.to_owned());
    if !ty.dtype.is_float() {
        let dtype = ty.dtype;
        Some(Fault::CotangentOfInteger { rule, position, label, dtype })
    } else if given.shape != ty.shape {
        let (operand, found) = (Operand::new(&ty.shape), given.shape.to_vec());
        Some(Fault::CotangentShape { rule, position, operand, found })
    } else if given.dtype != ty.dtype {
        let (found, wanted) = (given.dtype, ty.dtype);
        Some(Fault::CotangentDType { rule, position, label, found, wanted })
    } else {
        None
    }
}
