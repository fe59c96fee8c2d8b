//! Bilinear sampling of channels-last images at fractional pixel positions, with gradients to positions and image.

use crate::pad::{Border, Frame};
use crate::simd::{Kernel, Lanes, dispatch};

/// Four neighbours of a position: where each lies (`None` outside), its weight, and the weight's slope in x and y.
struct Corners {
    place: [Option<usize>; 4],
    weight: [f32; 4],
    slope_x: [f32; 4],
    slope_y: [f32; 4],
}

/// `border` Zero: neighbours outside the image count as zero. Replicate: positions are moved onto the image first.
#[inline(always)]
fn corners(frame: Frame, border: Border, [x, y]: [f32; 2]) -> Corners {
    let (mut x, mut y, mut free_x, mut free_y) = (x, y, 1.0, 1.0);
    if border == Border::Replicate {
        let (right, bottom) = ((frame.width - 1) as f32, (frame.height - 1) as f32);
        free_x = f32::from(x > 0.0 && x < right);
        free_y = f32::from(y > 0.0 && y < bottom);
        (x, y) = (x.clamp(0.0, right), y.clamp(0.0, bottom));
    }
    let (left, top) = (x.floor(), y.floor());
    let (fx, fy) = (x - left, y - top);
    let place = |dx: f32, dy: f32| {
        let (px, py) = (left + dx, top + dy);
        let inside = px >= 0.0 && py >= 0.0 && px < frame.width as f32 && py < frame.height as f32;
        inside.then(|| (py as usize * frame.width + px as usize) * frame.channels)
    };
    Corners {
        place: [place(0.0, 0.0), place(1.0, 0.0), place(0.0, 1.0), place(1.0, 1.0)],
        weight: [(1.0 - fx) * (1.0 - fy), fx * (1.0 - fy), (1.0 - fx) * fy, fx * fy],
        slope_x: [-(1.0 - fy) * free_x, (1.0 - fy) * free_x, -fy * free_x, fy * free_x],
        slope_y: [-(1.0 - fx) * free_y, -fx * free_y, (1.0 - fx) * free_y, fx * free_y],
    }
}

/// `out [points, C]`: the image [H, W, C] at positions (x, y) in pixels, pixel centres at integers.
pub fn forward(frame: Frame, border: Border, image: &[f32], points: &[[f32; 2]], out: &mut [f32]) {
    struct Forward<'a>(Frame, Border, &'a [f32], &'a [[f32; 2]], &'a mut [f32]);
    impl Kernel for Forward<'_> {
        #[inline(always)]
        fn run<V: Lanes>(self) {
            sample(self.0, self.1, self.2, self.3, self.4);
        }
    }
    dispatch(Forward(frame, border, image, points, out));
}

#[inline(always)]
fn sample(frame: Frame, border: Border, image: &[f32], points: &[[f32; 2]], out: &mut [f32]) {
    for (point, out) in points.iter().zip(out.chunks_exact_mut(frame.channels)) {
        out.fill(0.0);
        let corners = corners(frame, border, *point);
        for (place, weight) in corners.place.into_iter().zip(corners.weight) {
            if let Some(at) = place {
                out.iter_mut().zip(&image[at..]).for_each(|(o, v)| *o += weight * v);
            }
        }
    }
}

/// Gradients of [`forward`]: writes those of the positions, adds to those of the image where asked.
pub fn backward(
    frame: Frame,
    border: Border,
    image: &[f32],
    points: &[[f32; 2]],
    dout: &[f32],
    dpoints: &mut [[f32; 2]],
    dimage: Option<&mut [f32]>,
) {
    struct Backward<'a>(Frame, Border, &'a [f32], &'a [[f32; 2]], &'a [f32], &'a mut [[f32; 2]], Option<&'a mut [f32]>);
    impl Kernel for Backward<'_> {
        #[inline(always)]
        fn run<V: Lanes>(self) {
            sample_gradient(self.0, self.1, self.2, self.3, self.4, self.5, self.6);
        }
    }
    dispatch(Backward(frame, border, image, points, dout, dpoints, dimage));
}

#[inline(always)]
fn sample_gradient(
    frame: Frame,
    border: Border,
    image: &[f32],
    points: &[[f32; 2]],
    dout: &[f32],
    dpoints: &mut [[f32; 2]],
    mut dimage: Option<&mut [f32]>,
) {
    for ((point, dpoint), d) in points.iter().zip(dpoints).zip(dout.chunks_exact(frame.channels)) {
        *dpoint = [0.0; 2];
        let corners = corners(frame, border, *point);
        for i in 0..4 {
            let Some(at) = corners.place[i] else { continue };
            let along: f32 = d.iter().zip(&image[at..]).map(|(d, v)| d * v).sum();
            dpoint[0] += corners.slope_x[i] * along;
            dpoint[1] += corners.slope_y[i] * along;
            if let Some(dimage) = dimage.as_deref_mut() {
                dimage[at..].iter_mut().zip(d).for_each(|(to, d)| *to += corners.weight[i] * d);
            }
        }
    }
}
